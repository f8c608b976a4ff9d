//go:build e2e

package aws

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// balancing is moto's Elastic Load Balancing, as CodeDeploy uses it: it finds the
// target groups there, and changes the rules of the listener that forward to them.
type balancing struct {
	t            *testing.T
	moto, region string
}

// TargetGroup implements sandbox.LoadBalancing.
func (b balancing) TargetGroup(name string) (arn string, found bool) {
	var out struct {
		ARNs []string `xml:"DescribeTargetGroupsResult>TargetGroups>member>TargetGroupArn"`
	}
	err := b.call(&out, url.Values{"Action": {"DescribeTargetGroups"}, "Names.member.1": {name}})
	if err != nil || len(out.ARNs) != 1 {
		b.t.Errorf("CodeDeploy finds no target group %s: %v", name, err)
		return "", false
	}
	return out.ARNs[0], true
}

// Shift implements sandbox.LoadBalancing. CodeDeploy leaves both target groups in
// the rule, the unused one with the weight 0.
func (b balancing) Shift(listener string, weights map[string]float64) {
	var out struct {
		Rules []struct {
			ARN    string   `xml:"RuleArn"`
			Groups []string `xml:"Actions>member>TargetGroupArn"`
			Both   []string `xml:"Actions>member>ForwardConfig>TargetGroups>member>TargetGroupArn"`
		} `xml:"DescribeRulesResult>Rules>member"`
	}
	if err := b.call(&out, url.Values{"Action": {"DescribeRules"}, "ListenerArn": {listener}}); err != nil {
		b.t.Errorf("CodeDeploy cannot read the rules of %s: %v", listener, err)
		return
	}
	for _, rule := range out.Rules {
		concerns := func(group string) bool { _, found := weights[group]; return found }
		if !slices.ContainsFunc(append(rule.Groups, rule.Both...), concerns) {
			continue
		}
		values := url.Values{"Action": {"ModifyRule"}, "RuleArn": {rule.ARN}, "Actions.member.1.Type": {"forward"}}
		var n int
		for group, weight := range weights {
			n++
			member := fmt.Sprintf("Actions.member.1.ForwardConfig.TargetGroups.member.%d.", n)
			values.Set(member+"TargetGroupArn", group)
			values.Set(member+"Weight", fmt.Sprint(int(weight)))
		}
		if err := b.call(&struct{}{}, values); err != nil {
			b.t.Errorf("CodeDeploy cannot change the rule %s: %v", rule.ARN, err)
		}
	}
}

// call calls the API, which is of AWS's oldest kind: forms, answered in XML.
func (b balancing) call(out any, values url.Values) error {
	values.Set("Version", "2015-12-01")
	req, err := http.NewRequest(http.MethodPost, b.moto, strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// moto reads nothing of it but the service and the region.
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=sandbox/20240101/"+b.region+"/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", values.Get("Action"), resp.Status, body)
	}
	return xml.Unmarshal(body, out)
}
