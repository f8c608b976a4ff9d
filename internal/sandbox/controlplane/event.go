package controlplane

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// event writes a service event; message is what follows "(service NAME) ".
func (c *ControlPlane) event(s *service, message string) {
	c.eventAbout(s, "", message)
}

// eventAbout writes a service event about a deployment: ECS names its task set
// beside the service.
func (c *ControlPlane) eventAbout(s *service, taskSet, message string) {
	about := "service " + *s.ServiceName
	if taskSet != "" {
		about += ", taskSet " + taskSet
	}
	e := types.ServiceEvent{
		Id:        aws.String(randomUUID()),
		CreatedAt: aws.Time(time.Now()),
		Message:   aws.String("(" + about + ") " + message),
	}
	s.Events = append([]types.ServiceEvent{e}, s.Events...)
	s.Events = s.Events[:min(len(s.Events), eventsKept)]
	c.log.Debug("service event", "cluster", s.Cluster, "message", *e.Message)
}

// complain writes an event that is not repeated for hours while its cause lasts,
// and says whether it did.
func (c *ControlPlane) complain(s *service, message string) bool {
	if last, found := s.Complaints[message]; found && c.since(last) < eventSuppressed {
		return false
	}
	s.Complaints[message] = time.Now()
	c.event(s, message)
	return true
}

// mention is how ECS's events name tasks.
func mention(tasks []*task) string {
	var b strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&b, " (task %s)", t.ID)
	}
	return strings.TrimSpace(b.String())
}
