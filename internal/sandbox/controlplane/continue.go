package controlplane

import (
	"context"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

var hookIDPattern = regexp.MustCompile(`^ecs-[a-z_]+-.+$`)

// ContinueServiceDeployment answers a PAUSE hook. The texts are ECS's own; which
// of its errors they come with is ours.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
func (a api) ContinueServiceDeployment(_ context.Context, in *ecs.ContinueServiceDeploymentInput) (*ecs.ContinueServiceDeploymentOutput, error) {
	id := aws.ToString(in.HookId)
	if !hookIDPattern.MatchString(id) {
		return nil, errParameter("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
	}
	s, r := a.findRecord(aws.ToString(in.ServiceDeploymentArn))
	if r == nil {
		return nil, errCoded("ServiceDeploymentNotFoundException", "The service deployment does not exist.")
	}
	if !r.open() {
		return nil, errParameter("Continuing a service deployment is not allowed for service deployment in terminal states.")
	}
	h := s.paused(r, id)
	if h == nil {
		return nil, errParameter("Provided hookId is either completed, unavailable, or not associated with the given Resource ARN")
	}
	if in.Action == types.DeploymentLifecycleHookActionRollback {
		h.settle(r, refusedByPerson(s.Course.step().Stage))
	} else {
		h.settle(r, "")
	}
	a.kick(s)
	return &ecs.ContinueServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}

// paused is the PAUSE hook of that id that waits for an answer, or nil.
func (s *service) paused(r *record, id string) *hook {
	if s.Course == nil || r != s.record() || r.Status != types.ServiceDeploymentStatusInProgress {
		return nil
	}
	i := slices.IndexFunc(s.Course.Hooks, func(h *hook) bool {
		return h.ID == id && h.Target == "" && !h.Passed && h.Refusal == ""
	})
	if i < 0 {
		return nil
	}
	return s.Course.Hooks[i]
}
