package cli

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway"
)

// alarm tells of a canary whose alarm rings while it has a part of the traffic.
func (d *demo) alarm(ctx context.Context) error {
	app := slipway.App{Cluster: "cluster3", Name: "canary1"}
	config, err := sandboxConfig(d.sandbox.endpoints.AWS)(ctx, "")
	if err != nil {
		return err
	}
	alarms := cloudwatch.NewFromConfig(config)
	set := func(ctx context.Context, state types.StateValue, why string) error {
		_, err := alarms.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("cluster3-canary1-5xx"), StateValue: state, StateReason: aws.String(why),
		})
		return err
	}
	return d.underTraffic(ctx, app, func(t *traffic) error {
		before, err := t.version(ctx)
		if err != nil {
			return err
		}
		a, rang := d.deploys(app, "1.2.0"), false
		a.outcome, a.by, a.cause, a.serves = slipway.OutcomeRolledBack, slipway.ByECS, slipway.CauseAlarm, before
		a.during = func(ctx context.Context, x slipway.Execution) error {
			if o := x.Observation; rang || o == nil || o.Traffic == nil || *o.Traffic <= 0 {
				return nil
			}
			rang = true
			d.say("monitoring has had enough: the alarm cluster3-canary1-5xx is set off")
			return set(ctx, types.StateValueAlarm, "set off by the demo")
		}
		if _, err := d.play(ctx, a, t); err != nil {
			return err
		}
		return set(ctx, types.StateValueOk, "reset by the demo")
	})
}
