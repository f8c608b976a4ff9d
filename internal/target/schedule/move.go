package schedule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	scheduletypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/raw"
)

// afterConflict is how long to leave alone what somebody else changes just now.
const afterConflict = time.Second

// responseOnly lists the members of a described schedule that UpdateSchedule does
// not take in its body; the name stands in its path. It is a list of what to drop,
// never of what to keep, so that a member newer than our SDK survives.
func responseOnly() []string { return []string{"Arn", "CreationDate", "LastModificationDate", "Name"} }

// Read reads some targets anew, by their names. One that does not exist any more,
// or does not run tasks of the cluster, is not in the answer.
func (c *Client) Read(ctx context.Context, cluster string, names []string) (map[string]Target, error) {
	var sources []string // what one call reads: a rule, or a schedule
	for _, name := range names {
		if source := sourceOf(name); !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	some := make([][]Target, len(sources))
	err := each(ctx, len(sources), func(ctx context.Context, i int) (err error) {
		kind, of, id := Target{Name: sources[i]}.parts()
		if kind == ofRule {
			some[i], err = c.readRule(ctx, of, cluster)
		} else {
			some[i], err = c.readSchedule(ctx, of, id, cluster)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found := map[string]Target{}
	for _, t := range slices.Concat(some...) {
		if slices.Contains(names, t.Name) {
			found[t.Name] = t
		}
	}
	return found, nil
}

// sourceOf is what holds a target: its rule, or itself where it is a schedule.
func sourceOf(name string) string {
	if rule, isRule := strings.CutPrefix(name, ofRule+"/"); isRule {
		name, _, _ := strings.Cut(rule, "/")
		return ofRule + "/" + name
	}
	return name
}

// Group puts targets that one call writes together: those of one rule.
func Group(targets []Target) [][]Target {
	var groups [][]Target
	for _, t := range targets {
		at := slices.IndexFunc(groups, func(g []Target) bool { return sourceOf(g[0].Name) == sourceOf(t.Name) })
		if at < 0 {
			groups = append(groups, []Target{t})
		} else {
			groups[at] = append(groups[at], t)
		}
	}
	return groups
}

// Move makes the targets of one group, which were just read, run another task
// definition each, by the target's name, and changes nothing else of them. token,
// for example an execution's id, makes the call one that Scheduler knows again.
//
// It is one call, which is not repeated. With an error that may pass by itself, it
// may have had its effect: read the targets before trying again. With any other,
// some says whether a part of them was moved.
func (c *Client) Move(ctx context.Context, group []Target, to map[string]string, token string) (some bool, err error) {
	kind, of, _ := group[0].parts()
	if kind == ofRule {
		return c.putTargets(ctx, of, group, to)
	}
	err = c.updateSchedule(ctx, group[0], to[group[0].Name], token)
	return err == nil, err
}

// putTargets puts a rule's targets back with other task definitions.
func (c *Client) putTargets(ctx context.Context, rule string, targets []Target, to map[string]string) (some bool, err error) {
	doing := fmt.Sprintf("cannot move %s to %s", Label(targets[0].Name), lastPart(to[targets[0].Name]))
	moved := make([]raw.Members, len(targets))
	typed := make([]eventtypes.Target, len(targets)) // only passes the SDK's own validation
	for i, t := range targets {
		_, _, id := t.parts()
		typed[i] = eventtypes.Target{Id: aws.String(id), Arn: aws.String(t.fields.At("Arn"))}
		if moved[i], err = t.running(to[t.Name]); err != nil {
			return false, fmt.Errorf("%s: %w", doing, err)
		}
	}
	body, err := raw.Encode(map[string]any{"Rule": rule, "Targets": moved})
	if err != nil {
		return false, fmt.Errorf("%s: %w", doing, err)
	}
	out, err := c.rules.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String(rule), Targets: typed},
		func(o *eventbridge.Options) {
			o.Retryer, o.APIOptions = c.once, append(o.APIOptions, raw.Replace(body))
		})
	if err != nil {
		return false, c.failed(ctx, err, doing)
	}
	if out.FailedEntryCount == 0 {
		return true, nil
	}
	// The call succeeds all the same. API reference, PutTargets, FailedEntryCount.
	some = int(out.FailedEntryCount) < len(targets)
	for _, entry := range out.FailedEntries {
		why := &smithy.GenericAPIError{Code: aws.ToString(entry.ErrorCode), Message: aws.ToString(entry.ErrorMessage)}
		doing = fmt.Sprintf("cannot move %s", Label(ofRule+"/"+rule+"/"+aws.ToString(entry.TargetId)))
		return some, c.failed(ctx, why, doing)
	}
	return some, &slipway.Error{Next: slipway.NextRetry, RetryAfter: afterConflict, Message: doing + ": EventBridge put some of the targets only, and does not say why"}
}

// updateSchedule writes a schedule with another task definition.
func (c *Client) updateSchedule(ctx context.Context, t Target, to, token string) error {
	doing := fmt.Sprintf("cannot move %s to %s", Label(t.Name), lastPart(to))
	_, group, name := t.parts()
	fields, err := t.running(to)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	// The same for the same change to the same state: what somebody changed in
	// between makes it another call.
	sum := sha256.Sum256([]byte(strings.Join([]string{token, t.Name, to, string(fields["LastModificationDate"])}, "\n")))
	clientToken := hex.EncodeToString(sum[:16])
	for _, member := range responseOnly() {
		delete(fields, member)
	}
	if fields["ClientToken"], err = raw.Encode(clientToken); err != nil {
		return err
	}
	body, err := raw.Encode(fields)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	// The typed input gives the path, and passes the SDK's own validation.
	in := &scheduler.UpdateScheduleInput{
		Name: aws.String(name), GroupName: aws.String(group), ClientToken: aws.String(clientToken),
		ScheduleExpression: aws.String(fields.At("ScheduleExpression")),
		FlexibleTimeWindow: &scheduletypes.FlexibleTimeWindow{Mode: scheduletypes.FlexibleTimeWindowModeOff},
		Target: &scheduletypes.Target{
			Arn: aws.String(fields.At("Target", "Arn")), RoleArn: aws.String(fields.At("Target", "RoleArn")),
		},
	}
	_, err = c.schedules.UpdateSchedule(ctx, in,
		func(o *scheduler.Options) { o.Retryer, o.APIOptions = c.once, append(o.APIOptions, raw.Replace(body)) })
	return c.failed(ctx, err, doing)
}

// failed explains a write's error. One because somebody else writes at the same
// time passes by itself.
func (c *Client) failed(ctx context.Context, err error, doing string) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		case "ConcurrentModificationException", "ConflictException":
			return &slipway.Error{Next: slipway.NextRetry, RetryAfter: afterConflict, Message: doing + ": somebody else changes it at the same time", Err: api}
		case "InternalException":
			return &slipway.Error{Next: slipway.NextRetry, RetryAfter: afterConflict, Message: doing + ": EventBridge has a failure of its own", Err: api}
		}
	}
	explained := c.explain(ctx, err, doing)
	if known, ok := errors.AsType[*slipway.Error](explained); ok && known.Hint == "" && strings.Contains(known.Error(), "StartDate") {
		known.Hint = "take the start date out of the schedule: Scheduler takes back none that is over, and it has no more effect"
	}
	return explained
}
