package sandbox

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
)

// Routing is what ECS is told, in advancedConfiguration, to shift the traffic of
// a service between two target groups. Both groups are on both rules; at first the
// target group has all of the traffic.
type Routing struct {
	TargetGroup            string `json:"targetGroupArn"`
	AlternateTargetGroup   string `json:"alternateTargetGroupArn"`
	ProductionListenerRule string `json:"productionListenerRule"`
	TestListenerRule       string `json:"testListenerRule"`
	// Test is the URL of the test listener.
	Test string `json:"test"`
}

// routing is the app's, without the URL. An Application Load Balancer has rules,
// a Network Load Balancer listeners.
func (a seedApp) routing(o Options) Routing {
	rule := func(listener string) string {
		id := sha256.Sum256([]byte(a.family() + listener))
		kind, last := "listener-rule/app", fmt.Sprintf("/%x", id[16:24])
		if a.protocol == dataplane.TCP {
			kind, last = "listener/net", ""
		}
		return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:%s/%s/%x/%x%s", o.Region, o.Account, kind, a.family(), id[:8], id[8:16], last)
	}
	return Routing{
		TargetGroup:            a.targetGroup(o).ARN,
		AlternateTargetGroup:   a.alternateGroup(o).ARN,
		ProductionListenerRule: rule("production"),
		TestListenerRule:       rule("test"),
	}
}

// alternateGroup is the app's other target group, which has no targets until a
// deployment shifts traffic to it.
func (a seedApp) alternateGroup(o Options) dataplane.TargetGroup {
	group := a.targetGroup(o)
	group.ARN = targetGroupARN(o, a.family()+"-alternate")
	return group
}

// listen starts the app's load balancer with its production and its test
// listener, at the addresses that they had before, and notes where they are.
func (w *World) listen(ctx context.Context, app seedApp, addresses map[string]string) error {
	scheme := "http://"
	if app.protocol == dataplane.TCP {
		scheme = "tcp://"
	}
	start := func(name, rule string) (string, error) {
		address, err := atSameAddress(addresses[name], func(address string) (string, error) {
			return w.plane.Listen(ctx, dataplane.LoadBalancer{
				Name: name, Protocol: app.protocol, Address: address, ListenerRule: rule,
				Forward: []dataplane.Forward{{TargetGroupARN: app.targetGroup(w.options).ARN, Weight: 1}},
			})
		})
		if err != nil {
			return "", fmt.Errorf("start the load balancer of %s: %w", app.id(), err)
		}
		addresses[name] = address
		return scheme + address, nil
	}
	routing := app.routing(w.options)
	url, err := start(app.id(), routing.ProductionListenerRule)
	if err != nil {
		return err
	}
	if routing.Test, err = start(app.id()+" test", routing.TestListenerRule); err != nil {
		return err
	}
	w.endpoints.LoadBalancers[app.id()] = url
	w.endpoints.Routing[app.id()] = routing
	return nil
}
