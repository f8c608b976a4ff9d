package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/slipway-cd/slipway/internal/target/raw"
)

const (
	// page is how much one call lists. API reference, ListRuleNamesByTarget,
	// ListTargetsByRule and ListSchedules.
	page = 100
	// fresh is how long what Find saw is good for others: long enough for apps that
	// are pushed together.
	fresh = 5 * time.Second
)

// look is one look at a cluster's targets.
type look struct {
	done    chan struct{} // closed when the rest is set
	at      time.Time     // when it ended
	targets []Target
	err     error
	// interrupted says that err is no answer for anybody else.
	interrupted bool
}

// Find returns the targets that run tasks of a cluster, by its ARN, ordered by
// name: of rules, whether they are enabled or not, and of schedules, but for those
// that are over. It may be a few seconds old; see Forget.
func (c *Client) Find(ctx context.Context, cluster string) ([]Target, error) {
	for {
		c.mu.Lock()
		seen := c.looks[cluster]
		mine := seen == nil || seen.old()
		if mine {
			seen = &look{done: make(chan struct{})}
			c.looks[cluster] = seen
		}
		c.mu.Unlock()
		if mine {
			seen.targets, seen.err = c.look(ctx, cluster)
			seen.at, seen.interrupted = time.Now(), ctx.Err() != nil
			close(seen.done)
			return slices.Clone(seen.targets), seen.err
		}
		select {
		case <-seen.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if !seen.interrupted {
			return slices.Clone(seen.targets), seen.err
		}
	}
}

// old reports whether a look has ended and is of no use any more.
func (l *look) old() bool {
	select {
	case <-l.done:
		return l.err != nil || time.Since(l.at) >= fresh
	default:
		return false
	}
}

// Forget has the next Find of a cluster look anew.
func (c *Client) Forget(cluster string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.looks, cluster)
}

func (c *Client) look(ctx context.Context, cluster string) ([]Target, error) {
	rules, err := c.rulesOf(ctx, cluster)
	if err != nil {
		return nil, err
	}
	schedules, err := c.schedulesOf(ctx, cluster)
	if err != nil {
		return nil, err
	}
	some := make([][]Target, len(rules)+len(schedules))
	err = each(ctx, len(some), func(ctx context.Context, i int) (err error) {
		if i < len(rules) {
			some[i], err = c.readRule(ctx, rules[i], cluster)
		} else {
			group, name, _ := strings.Cut(schedules[i-len(rules)], "/")
			some[i], err = c.readSchedule(ctx, group, name, cluster)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found := slices.Concat(some...)
	slices.SortFunc(found, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// rulesOf lists the rules that have the cluster as a target.
func (c *Client) rulesOf(ctx context.Context, cluster string) ([]string, error) {
	var names []string
	in := &eventbridge.ListRuleNamesByTargetInput{TargetArn: aws.String(cluster), Limit: aws.Int32(page)}
	for {
		out, err := c.rules.ListRuleNamesByTarget(ctx, in)
		if err != nil {
			return nil, c.explain(ctx, err, "cannot list EventBridge's rules for cluster "+lastPart(cluster))
		}
		names = append(names, out.RuleNames...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return names, nil
		}
	}
}

// schedulesOf lists the schedules that have the cluster as their target, as
// "group/name".
func (c *Client) schedulesOf(ctx context.Context, cluster string) ([]string, error) {
	var names []string
	pages := scheduler.NewListSchedulesPaginator(c.schedules, &scheduler.ListSchedulesInput{MaxResults: aws.Int32(page)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.explain(ctx, err, "cannot list the schedules of EventBridge Scheduler")
		}
		for _, listed := range out.Schedules {
			if listed.Target != nil && aws.ToString(listed.Target.Arn) == cluster {
				names = append(names, aws.ToString(listed.GroupName)+"/"+aws.ToString(listed.Name))
			}
		}
	}
	return names, nil
}

// readRule reads those targets of a rule that run tasks of the cluster; none where
// the rule was deleted meanwhile.
func (c *Client) readRule(ctx context.Context, rule, cluster string) ([]Target, error) {
	var found []Target
	in := &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule), Limit: aws.Int32(page)}
	for {
		var body []byte
		out, err := c.rules.ListTargetsByRule(ctx, in, func(o *eventbridge.Options) {
			o.APIOptions = append(o.APIOptions, raw.Capture(&body))
		})
		if isGone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, c.explain(ctx, err, "cannot read the targets of rule "+rule)
		}
		var answer struct{ Targets []raw.Members }
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, fmt.Errorf("EventBridge's answer lists no targets of rule %s: %w", rule, err)
		}
		for _, fields := range answer.Targets {
			if t, ok := newTarget(ofRule, rule, fields, cluster, time.Now()); ok {
				found = append(found, t)
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return found, nil
		}
	}
}

// readSchedule reads a schedule: none where it was deleted meanwhile, is over, or
// does not run tasks of the cluster.
func (c *Client) readSchedule(ctx context.Context, group, name, cluster string) ([]Target, error) {
	var body []byte
	_, err := c.schedules.GetSchedule(ctx, &scheduler.GetScheduleInput{GroupName: aws.String(group), Name: aws.String(name)},
		func(o *scheduler.Options) { o.APIOptions = append(o.APIOptions, raw.Capture(&body)) })
	if isGone(err) {
		return nil, nil
	}
	doing := "cannot read " + Label(ofSchedule+"/"+group+"/"+name)
	if err != nil {
		return nil, c.explain(ctx, err, doing)
	}
	var fields raw.Members
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, fmt.Errorf("%s: Scheduler's answer describes none: %w", doing, err)
	}
	if t, ok := newTarget(ofSchedule, group, fields, cluster, time.Now()); ok {
		return []Target{t}, nil
	}
	return nil, nil
}

// lastPart is what follows an ARN's last slash.
func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
