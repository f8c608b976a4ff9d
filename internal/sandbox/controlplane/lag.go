package controlplane

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// view is a service as it was shown at one moment.
type view struct {
	at      time.Time
	service types.Service
	records []types.ServiceDeployment
}

// SetLag has DescribeServices, ListServiceDeployments and
// DescribeServiceDeployments show services as they were so long ago, in ECS's
// time: ECS's reads are eventually consistent. 0, as in the beginning, shows them
// as they are. What writing actions answer never lags.
func (c *ControlPlane) SetLag(lag time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lag = lag
	c.views = map[string][]view{}
	c.remember()
}

// remember keeps how services are shown, for as long as a read may show it.
func (c *ControlPlane) remember() {
	if c.lag == 0 {
		return
	}
	for _, cl := range c.state.Clusters {
		for _, s := range cl.Services {
			views := append(c.views[*s.ServiceArn], view{at: time.Now(), service: c.describeService(s, true), records: c.describeRecords(s)})
			// One that is old enough is shown, those before it never again.
			for len(views) > 1 && c.since(views[1].at) >= c.lag {
				views = views[1:]
			}
			c.views[*s.ServiceArn] = views
		}
	}
}

// lagging is the service as reads show it, or nil when they show it as it is. A
// service that is too young is shown as it was at first.
func (c *ControlPlane) lagging(s *service) *view {
	views := c.views[*s.ServiceArn]
	if c.lag == 0 || len(views) == 0 {
		return nil
	}
	for i := range slices.Backward(views) {
		if c.since(views[i].at) >= c.lag {
			return &views[i]
		}
	}
	return &views[0]
}

// showService is the service for those who read it.
func (c *ControlPlane) showService(s *service, withTags bool) types.Service {
	v := c.lagging(s)
	if v == nil {
		return c.describeService(s, withTags)
	}
	shown := v.service
	if !withTags {
		shown.Tags = nil
	}
	return shown
}

// showRecords are the service's deployments for those who read them, newest
// first.
func (c *ControlPlane) showRecords(s *service) []types.ServiceDeployment {
	if v := c.lagging(s); v != nil {
		return v.records
	}
	return c.describeRecords(s)
}

func (c *ControlPlane) describeRecords(s *service) []types.ServiceDeployment {
	var all []types.ServiceDeployment
	for _, r := range s.Records {
		all = append(all, c.describeRecord(s, (*record)(r)))
	}
	return all
}
