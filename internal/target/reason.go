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
// cause, below it the others.
func reason(d slipway.Deployment, w watched, v verdict, f facts, o slipway.Observation) string {
	var parts []string
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
	all := causes(f.stopped)
	if len(all) == 0 {
		add(trouble(o.Events))
	} else {
		add(all[0])
	}
	if w.back && v.state == slipway.StateFailed {
		add("the rollback was begun because: " + d.RollbackReason)
	}
	first := strings.Join(parts, "; ")
	if len(all) < 2 {
		return first
	}
	return first + "\n" + strings.Join(all[1:], "\n")
}

// quiet reports whether a verdict needs no more explanation than its headline.
func quiet(v verdict, w watched) bool {
	return v.state == slipway.StateDeployed || v.state == slipway.StateReplaced || v.state == slipway.StateGone ||
		v.state == slipway.StateRolledBack && w.back
}

// whyFailed is what ECS says made the watched deployment fail. The event
// outlives the deployment's own entry, and the record both.
func whyFailed(w watched, f facts) string {
	failed := fmt.Sprintf("(deployment %s) deployment failed: ", w.id)
	for _, event := range f.service.Events {
		if _, why, found := strings.Cut(aws.ToString(event.Message), failed); found {
			return why
		}
	}
	if ours := w.in(f.service); ours != nil && ours.RolloutState == types.DeploymentRolloutStateFailed {
		return aws.ToString(ours.RolloutStateReason)
	}
	if f.record != nil {
		return f.record.reason
	}
	return ""
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
	for _, event := range slices.Backward(events) {
		for _, sign := range []string{"unable to", "is unhealthy in", "failed container health checks"} {
			if strings.Contains(event.Message, sign) {
				_, message, _ := strings.Cut(event.Message, ") ")
				return message
			}
		}
	}
	return ""
}

// causes groups stopped tasks by what stopped them, the most frequent first:
// "2 tasks: Essential container in task exited (container web exit code 1)".
// Tasks that the scheduler stopped because they were not needed any more tell
// nothing.
func causes(stopped []types.Task) []string {
	counts := map[string]int{}
	for i := range stopped {
		if cause := causeOf(&stopped[i]); cause != "" {
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

// causeOf is what stopped a task, with what its containers say about it.
func causeOf(task *types.Task) string {
	cause := strings.TrimRight(aws.ToString(task.StoppedReason), ". ")
	if strings.HasPrefix(cause, "Scaling activity initiated by") {
		return ""
	}
	if cause == "" {
		cause = string(task.StopCode)
	}
	ended := func(c types.Container) bool { return aws.ToInt32(c.ExitCode) != 0 || aws.ToString(c.Reason) != "" }
	if !slices.ContainsFunc(task.Containers, ended) && task.StopCode == types.TaskStopCodeEssentialContainerExited {
		// A service's container must not end, not even well.
		ended = func(c types.Container) bool { return c.ExitCode != nil }
	}
	var details []string
	for _, container := range task.Containers {
		if ended(container) {
			details = append(details, exitOf(&container, cause)...)
		}
	}
	if len(details) > 0 {
		cause += " (" + strings.Join(details, "; ") + ")"
	}
	return cause
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
