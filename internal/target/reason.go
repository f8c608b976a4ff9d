package target

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

const (
	// maxEvents is how many of a service's events an Observation has.
	maxEvents = 20
	// maxCauses is how many kinds of stopped tasks a reason tells apart.
	maxCauses = 3
)

// reason says in AWS's words why v: in its first line the verdict and the main
// cause, below it the others and the end of the log.
func reason(w watched, v verdict, f facts, o slipway.Observation) string {
	var parts, details []string
	add := func(part string) {
		part = strings.TrimRight(part, ". ")
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	headline := v.headline
	if v.why != "" {
		headline += ": " + strings.TrimRight(v.why, ". ")
	}
	add(headline)
	if quiet(v, w) {
		return strings.Join(parts, "; ")
	}
	all, trouble := causes(f.stopped, o.Events), trouble(o.Events)
	switch {
	case len(all) == 0 && v.state == slipway.StateDeployed:
		// What went wrong on the way is over.
	case len(all) == 0:
		add(trouble)
	default:
		add(all[0])
		details = all[1:]
		if misplaced(trouble) && v.state != slipway.StateDeployed {
			details = append(details, trouble)
		}
	}
	if len(f.logs.lines) > 0 {
		details = append(details, fmt.Sprintf("the last lines of container %s in task %s:", f.logs.container, f.logs.task))
		for _, line := range f.logs.lines {
			details = append(details, "    "+line)
		}
	}
	return strings.Join(append([]string{strings.Join(parts, "; ")}, details...), "\n")
}

// head is the first line of a reason, which can stand alone.
func head(reason string) string {
	first, _, _ := strings.Cut(reason, "\n")
	return first
}

// quiet reports whether a verdict needs no more explanation than its headline.
func quiet(v verdict, w watched) bool {
	return v.state == slipway.StateReplaced || v.state == slipway.StateGone ||
		v.state == slipway.StateRolledBack && w.back
}

// caveat is what a person should know of a deployment that went well by AWS's
// account; empty where there is nothing.
func caveat(f facts) string {
	switch {
	case f.service != nil && f.service.DesiredCount == 0:
		return "deployed, but nothing has run it yet: the service's desired count is 0"
	case failures(f.stopped) > 0:
		return "deployed, but not every task stayed up"
	}
	return ""
}

// whyFailed is what ECS says made the watched deployment fail. The event
// outlives the deployment's own entry, and the record both.
func whyFailed(w watched, f facts) string {
	failed := fmt.Sprintf("(deployment %s) deployment failed: ", w.id)
	for _, event := range f.service.Events {
		if _, why, found := strings.Cut(aws.ToString(event.Message), failed); found {
			return withAlarms(strings.TrimRight(why, ". "), f.record)
		}
	}
	if ours := w.in(f.service); ours != nil && ours.RolloutState == types.DeploymentRolloutStateFailed {
		return aws.ToString(ours.RolloutStateReason)
	}
	if f.record != nil {
		return whyRolledBack(f.record)
	}
	return ""
}

// withAlarms is why with the alarms that rang, which ECS's event does not name.
func withAlarms(why string, r *record) string {
	if r == nil || r.detail == nil || r.detail.Alarms == nil || len(r.detail.Alarms.TriggeredAlarmNames) == 0 {
		return why
	}
	return why + " (" + strings.Join(r.detail.Alarms.TriggeredAlarmNames, ", ") + ")"
}

// events are the service's events since a time, oldest first, the newest
// twenty. ECS gives them newest first.
func events(s *types.Service, since time.Time) []slipway.Event {
	var recent []slipway.Event
	for _, event := range s.Events {
		if at := aws.ToTime(event.CreatedAt); !at.Before(since) && len(recent) < maxEvents {
			recent = append(recent, slipway.Event{At: at, Message: aws.ToString(event.Message)})
		}
	}
	slices.Reverse(recent)
	return recent
}

// trouble is the newest event that tells of something wrong, without the
// service's name, or the empty string. Developer guide, "service event messages".
func trouble(events []slipway.Event) string {
	vague := ""
	for _, event := range slices.Backward(events) {
		for _, sign := range []string{"unable to", "is unhealthy in", "failed container health checks"} {
			if !strings.Contains(event.Message, sign) {
				continue
			}
			_, message, _ := strings.Cut(event.Message, ") ")
			if !strings.Contains(message, "unable to consistently start tasks") {
				return message
			}
			vague = cmp.Or(vague, message) // what keeps them from starting is told earlier
		}
	}
	return vague
}

// misplaced reports whether a trouble is that tasks cannot be placed, which no
// stopped task tells of.
func misplaced(trouble string) bool { return strings.Contains(trouble, "unable to place a task") }

// causes groups stopped tasks by what stopped them, the most frequent first:
// "2 tasks: Essential container in task exited (container web exit code 1)".
// Tasks that the scheduler stopped because they were not needed any more tell
// nothing.
func causes(stopped []types.Task, events []slipway.Event) []string {
	counts := map[string]int{}
	for i := range stopped {
		if cause := causeOf(&stopped[i], events); cause != "" {
			counts[cause]++
		}
	}
	var all []string
	for cause, count := range counts {
		noun := "tasks"
		if count == 1 {
			noun = "task"
		}
		all = append(all, fmt.Sprintf("%d %s: %s", count, noun, cause))
	}
	slices.SortFunc(all, func(a, b string) int {
		causeA, causeB := a[strings.Index(a, ": ")+2:], b[strings.Index(b, ": ")+2:]
		return cmp.Or(cmp.Compare(counts[causeB], counts[causeA]), strings.Compare(a, b))
	})
	if len(all) > maxCauses {
		all = append(all[:maxCauses], fmt.Sprintf("and %d other causes", len(all)-maxCauses))
	}
	return all
}

// causeOf is what stopped a task, with what its containers and the service's
// events say about it; empty for a task that was not needed any more.
func causeOf(task *types.Task, events []slipway.Event) string {
	cause := strings.TrimRight(aws.ToString(task.StoppedReason), ". ")
	if strings.HasPrefix(cause, "Scaling activity initiated by") {
		return ""
	}
	if cause == "" {
		cause = string(task.StopCode)
	}
	if strings.HasPrefix(cause, "Task failed ELB health checks") {
		// The task's containers ended because they were told to.
		if why := unhealthy(events, lastPart(aws.ToString(task.TaskArn))); why != "" {
			cause += ": " + why
		}
		return cause
	}
	ended := func(c types.Container) bool { return aws.ToInt32(c.ExitCode) != 0 || aws.ToString(c.Reason) != "" }
	if !slices.ContainsFunc(task.Containers, ended) && task.StopCode == types.TaskStopCodeEssentialContainerExited {
		// A service's container must not end, not even well.
		ended = func(c types.Container) bool { return c.ExitCode != nil }
	}
	var details []string
	for _, container := range task.Containers {
		if container.HealthStatus == types.HealthStatusUnhealthy {
			details = append(details, "container "+aws.ToString(container.Name)+" is UNHEALTHY")
		} else if ended(container) {
			details = append(details, exitOf(&container, cause)...)
		}
	}
	if len(details) > 0 {
		cause += " (" + strings.Join(details, "; ") + ")"
	}
	return cause
}

// unhealthy is what the load balancer said of a task or, where the events do not
// name it any more, of another: "Health checks failed with these codes: [503]".
func unhealthy(events []slipway.Event, task string) string {
	any := ""
	for _, event := range slices.Backward(events) {
		_, why, found := strings.Cut(event.Message, " due to (reason ")
		if !found || !strings.Contains(event.Message, "is unhealthy in") {
			continue
		}
		why = strings.TrimSuffix(strings.TrimRight(why, ". "), ")")
		if task != "" && strings.Contains(event.Message, "(task "+task+")") {
			return why
		}
		any = cmp.Or(any, why)
	}
	return any
}

// exitOf is how a container ended, or nothing if that tells no more than the
// task's own reason.
func exitOf(container *types.Container, cause string) []string {
	why := strings.TrimRight(aws.ToString(container.Reason), ". ")
	if strings.Contains(cause, why) {
		why = ""
	}
	if why == "" && container.ExitCode == nil {
		return nil
	}
	detail := "container " + aws.ToString(container.Name)
	if container.ExitCode != nil {
		detail += fmt.Sprintf(" exit code %d", *container.ExitCode)
	}
	if why != "" {
		detail += ": " + why
	}
	return []string{detail}
}
