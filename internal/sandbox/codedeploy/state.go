package codedeploy

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// state is all that is kept. It is written and read as JSON.
type state struct {
	Applications map[string]*application      // by name
	Deployments  []*deployment                // oldest first
	Tags         map[string]map[string]string `json:",omitempty"` // by ARN
}

// application is an application with its deployment groups.
type application struct {
	types.ApplicationInfo
	Groups map[string]*types.DeploymentGroupInfo // by name
}

// deployment is one attempt to replace the task set of a service.
type deployment struct {
	Info    types.DeploymentInfo
	Spec    appSpec
	Service types.ECSService
	Alarms  []string // that stop it
	// Events are its lifecycle events, in order; UpdatedAt is when one of them
	// last changed.
	Events    []types.LifecycleEvent
	UpdatedAt time.Time
	// Original served when the deployment began, Replacement is to serve.
	Original, Replacement taskSet
	Weight                int  // the replacement's percent of production traffic
	Tested                bool // the replacement has the test traffic
	Hook                  *hook
	// WaitingSince is when the present wait began: for a person to continue, or
	// to terminate the original; zero when there is none.
	WaitingSince time.Time
	Continued    []types.DeploymentWaitType // waits that a person ended
	Stop         *stopRequest
}

// taskSet is a task set as CodeDeploy knows it; ID is empty until it is made.
type taskSet struct{ ID, TargetGroupARN string }

// hook is a lifecycle event's function that was called.
type hook struct {
	ID     string
	Event  string
	Called time.Time
	Result types.LifecycleEventStatus // empty until it has reported
}

// stopRequest is a person's StopDeployment.
type stopRequest struct{ RollBack bool }

// over says whether the deployment has ended.
func (d *deployment) over() bool {
	switch d.Info.Status {
	case types.DeploymentStatusSucceeded, types.DeploymentStatusFailed, types.DeploymentStatusStopped:
		return true
	default:
		return false
	}
}

// pair is the target groups and the listeners of the deployment.
func (d *deployment) pair() types.TargetGroupPairInfo {
	return d.Info.LoadBalancerInfo.TargetGroupPairInfoList[0]
}

// application finds an application by its name.
func (c *Service) application(name *string) (*application, error) {
	if aws.ToString(name) == "" {
		return nil, errCoded("ApplicationNameRequiredException", "Application name is required.")
	}
	a := c.state.Applications[*name]
	if a == nil {
		return nil, errCoded("ApplicationDoesNotExistException", "No application found for name: %s", *name)
	}
	return a, nil
}

// group finds a deployment group by its name.
func (c *Service) group(application, name *string) (*types.DeploymentGroupInfo, error) {
	a, err := c.application(application)
	if err != nil {
		return nil, err
	}
	if aws.ToString(name) == "" {
		return nil, errCoded("DeploymentGroupNameRequiredException", "Deployment Group name is required.")
	}
	g := a.Groups[*name]
	if g == nil {
		return nil, errCoded("DeploymentGroupDoesNotExistException", "No Deployment Group found for name: %s", *name)
	}
	return g, nil
}

// deployment finds a deployment by its id.
func (c *Service) deployment(id *string) (*deployment, error) {
	if aws.ToString(id) == "" {
		return nil, errCoded("DeploymentIdRequiredException", "Deployment Id is required.")
	}
	i := slices.IndexFunc(c.state.Deployments, func(d *deployment) bool { return *d.Info.DeploymentId == *id })
	if i < 0 {
		return nil, errCoded("DeploymentDoesNotExistException", "The deployment %s could not be found", *id)
	}
	return c.state.Deployments[i], nil
}

// errCoded is an AWS error.
func errCoded(code, format string, args ...any) error {
	return &awsjson.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// newDeploymentID is like d-1NNWZG91L.
func newDeploymentID() string { return "d-" + rand.Text()[:9] }

// newUUID is the id of an application, a group, or a hook's execution.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// pageMost is how many results a page of any list has. Ours.
const pageMost = 100

// page cuts the page that token names out of items.
func page(items []string, token *string) ([]string, *string, error) {
	cut, next, err := awsjson.Page(items, token, pageMost)
	if err != nil {
		return nil, nil, errCoded("InvalidNextTokenException", "The next token was specified in an invalid format.")
	}
	return cut, next, nil
}

// nameOf is a resource's name: what follows the last colon or slash but one of
// an ARN like targetgroup/NAME/ID.
func nameOf(targetGroupARN string) string {
	parts := strings.Split(targetGroupARN, "/")
	return cmp.Or(parts[max(0, len(parts)-2)], targetGroupARN)
}
