//go:build e2e

package policy

import (
	"strings"
	"testing"
)

func TestAllows(t *testing.T) {
	const document = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Any", "Effect": "Allow", "Action": ["ecs:Describe*", "logs:GetLogEvents"], "Resource": "*"},
    {"Sid": "One", "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": ["arn:aws:ecs:eu-west-1:111122223333:service/cluster1/*"],
     "Condition": {"ArnEquals": {"ecs:cluster": ["arn:aws:ecs:*:111122223333:cluster/cluster1", "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster?"]}}},
    {"Sid": "Pass", "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/webapp1",
     "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
    {"Sid": "Two", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/a/*/b",
     "Condition": {"StringLike": {"aws:PrincipalTag": "team-*"}, "StringEquals": {"aws:Region": "eu-west-1"}}}
  ]
}`
	parsed, err := Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	context := func(pairs ...string) map[string]string {
		c := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			c[pairs[i]] = pairs[i+1]
		}
		return c
	}
	const service, role = "arn:aws:ecs:eu-west-1:111122223333:service/", "arn:aws:iam::111122223333:role/"
	for name, test := range map[string]struct {
		request Request
		sid     string // empty if it is not allowed
	}{
		"an action by its pattern":        {Request{"ecs:DescribeServices", "*", nil}, "Any"},
		"an action in another case":       {Request{"ECS:describeservices", service + "cluster1/webapp1", nil}, "Any"},
		"another action":                  {Request{"ecs:ListServices", "*", nil}, ""},
		"a resource by its pattern":       {Request{"ecs:UpdateService", service + "cluster1/webapp1", context("ecs:cluster", "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster1")}, "One"},
		"the second value of a condition": {Request{"ecs:UpdateService", service + "cluster1/webapp1", context("ecs:cluster", "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster2")}, "One"},
		"another resource":                {Request{"ecs:UpdateService", service + "cluster2/webapp1", context("ecs:cluster", "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster1")}, ""},
		"all of an action's resources":    {Request{"ecs:UpdateService", "*", context("ecs:cluster", "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster1")}, ""},
		"another cluster":                 {Request{"ecs:UpdateService", service + "cluster1/webapp1", context("ecs:cluster", "arn:aws:ecs:eu-west-1:111122223333:cluster/other")}, ""},
		"a key that the action lacks":     {Request{"ecs:UpdateService", service + "cluster1/webapp1", nil}, ""},
		"a role to its service":           {Request{"iam:PassRole", role + "webapp1", context("iam:PassedToService", "ecs-tasks.amazonaws.com")}, "Pass"},
		"a role to another service":       {Request{"iam:PassRole", role + "webapp1", context("iam:PassedToService", "ec2.amazonaws.com")}, ""},
		"another role":                    {Request{"iam:PassRole", role + "webapp10", context("iam:PassedToService", "ecs-tasks.amazonaws.com")}, ""},
		"two conditions":                  {Request{"s3:GetObject", "arn:aws:s3:::bucket/a/x/y/b", context("aws:PrincipalTag", "team-web", "aws:Region", "eu-west-1")}, "Two"},
		"one of two conditions":           {Request{"s3:GetObject", "arn:aws:s3:::bucket/a/x/b", context("aws:PrincipalTag", "team-web", "aws:Region", "eu-west-2")}, ""},
		"a pattern's end":                 {Request{"s3:GetObject", "arn:aws:s3:::bucket/a/x/c", context("aws:PrincipalTag", "team-web", "aws:Region", "eu-west-1")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			statement, _, ok := parsed.Allows(test.request)
			if got := parsed.Statement[statement].Sid; ok != (test.sid != "") || ok && got != test.sid {
				t.Errorf("%v: %q, %v, want %q", test.request, got, ok, test.sid)
			}
		})
	}
}

// TestParse: what is not known here is refused, not passed over.
func TestParse(t *testing.T) {
	for statement, want := range map[string]string{
		`{"Effect": "Deny", "Action": "*", "Resource": "*"}`:                                                                     "the effect Deny",
		`{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`:                                                             "NotAction",
		`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}`:            "the condition operator Bool",
		`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/${aws:username}/*"}`:                     "a variable",
		`{"Effect": "Allow", "Action": 1, "Resource": "*"}`:                                                                      "read the policy",
		`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEqualsIfExists": {"a:b": ["c"]}}} `: "StringEqualsIfExists",
	} {
		_, err := Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + statement + `]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error that has %q", statement, err, want)
		}
	}
}
