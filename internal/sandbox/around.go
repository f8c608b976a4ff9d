package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
	"github.com/slipway-cd/slipway/internal/sandbox/services"
)

// batchRate is how often the seeded scheduled apps run.
const batchRate = "rate(5 minutes)"

// around is the services around ECS, kept in the world's folder.
type around struct {
	*services.Services
	journal *journal
	// fresh: there was no state.
	fresh bool
}

// openAround reads the services' state, or seeds it.
func openAround(ctx context.Context, path string, o Options, plane *dataplane.Plane) (*around, error) {
	state, err := os.ReadFile(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return nil, err
	}
	var balancing LoadBalancing = ownBalancing{plane, o}
	if o.LoadBalancing != nil {
		balancing = o.LoadBalancing
	}
	s, err := services.New(services.Options{
		Region: o.Region, Account: o.Account, TimeScale: o.TimeScale, State: state, Logger: o.Logger, Functions: elsewhere(o.Functions),
		Code: filepath.Join(o.Dir, functionsFolder), Repositories: o.Dir, Branch: o.Branch, Webhooks: map[string][]string{deploymentRepository: o.Webhooks},
		Calls: o.Calls, Traffic: balancing, TargetGroup: balancing.TargetGroup,
	})
	if err != nil {
		return nil, err
	}
	a := &around{Services: s, fresh: fresh, journal: &journal{path: path, snapshot: s.Snapshot, logger: o.Logger}}
	if fresh {
		if err := seedSchedules(ctx, s, o); err != nil {
			return nil, fmt.Errorf("seed the schedules: %w", err)
		}
		return a, a.journal.saveNow()
	}
	return a, nil
}

// ownBalancing is the sandbox's own load balancing.
type ownBalancing struct {
	*dataplane.Plane
	options Options
}

// TargetGroup implements LoadBalancing: whatever the name, there is one.
func (b ownBalancing) TargetGroup(name string) (arn string, found bool) {
	return targetGroupARN(b.options, name), true
}

// handlers serve the services; what a client asked for is saved before the client
// is answered.
func (a *around) handlers() awsjson.Mux {
	served := awsjson.Mux{}
	for target, handler := range a.Handlers() {
		served[target] = a.journal.before(handler)
	}
	return served
}

// git serves git with next; what a push came to is saved before git push returns.
func (a *around) git(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/git-receive-pack") {
			a.journal.record()
		}
	})
}

// seedSchedules has each cluster run its scheduled app, pinned to the revision
// that is registered: cluster1 by a rule of EventBridge, cluster2 by EventBridge
// Scheduler.
func seedSchedules(ctx context.Context, s *services.Services, o Options) error {
	for _, app := range seedApps(o) {
		if !app.scheduled {
			continue
		}
		var err error
		if app.cluster == articleClusters()[0] {
			err = app.putRule(ctx, s, o)
		} else {
			err = app.createSchedule(ctx, s, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a seedApp) clusterARN(o Options) *string {
	return aws.String(fmt.Sprintf("arn:aws:ecs:%s:%s:cluster/%s", o.Region, o.Account, a.cluster))
}

func (a seedApp) taskDefinitionARN(o Options) *string {
	return aws.String(fmt.Sprintf("arn:aws:ecs:%s:%s:task-definition/%s:1", o.Region, o.Account, a.family()))
}

func (a seedApp) eventsRole(o Options) *string {
	return aws.String(fmt.Sprintf("arn:aws:iam::%s:role/%s-events", o.Account, a.family()))
}

// putRule makes a rule of the app's family's name with one target.
func (a seedApp) putRule(ctx context.Context, s *services.Services, o Options) error {
	name := aws.String(a.family())
	if _, err := s.EventBridge.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: name, Description: aws.String("Runs " + a.name), ScheduleExpression: aws.String(batchRate),
	}); err != nil {
		return err
	}
	vpc := a.network().AwsvpcConfiguration
	document, err := awsjson.Marshal(&eventbridge.PutTargetsInput{Rule: name, Targets: []types.Target{{
		Id: aws.String(a.name), Arn: a.clusterARN(o), RoleArn: a.eventsRole(o),
		EcsParameters: &types.EcsParameters{
			TaskDefinitionArn: a.taskDefinitionARN(o), TaskCount: aws.Int32(1), LaunchType: types.LaunchTypeFargate,
			PropagateTags: types.PropagateTagsTaskDefinition,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: vpc.Subnets, SecurityGroups: vpc.SecurityGroups, AssignPublicIp: types.AssignPublicIp(vpc.AssignPublicIp),
			}},
		},
	}}})
	if err != nil {
		return err
	}
	_, err = s.EventBridge.PutTargets(ctx, document)
	return err
}

// createSchedule makes a schedule of the app's family's name in the default
// group.
func (a seedApp) createSchedule(ctx context.Context, s *services.Services, o Options) error {
	vpc := a.network().AwsvpcConfiguration
	document, err := awsjson.Marshal(&scheduler.CreateScheduleInput{
		Name: aws.String(a.family()), Description: aws.String("Runs " + a.name), ScheduleExpression: aws.String(batchRate),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target: &schedulertypes.Target{
			Arn: a.clusterARN(o), RoleArn: a.eventsRole(o),
			EcsParameters: &schedulertypes.EcsParameters{
				TaskDefinitionArn: a.taskDefinitionARN(o), LaunchType: schedulertypes.LaunchTypeFargate,
				PropagateTags: schedulertypes.PropagateTagsTaskDefinition,
				NetworkConfiguration: &schedulertypes.NetworkConfiguration{AwsvpcConfiguration: &schedulertypes.AwsVpcConfiguration{
					Subnets: vpc.Subnets, SecurityGroups: vpc.SecurityGroups, AssignPublicIp: schedulertypes.AssignPublicIp(vpc.AssignPublicIp),
				}},
			},
		},
	})
	if err != nil {
		return err
	}
	_, err = s.Scheduler.CreateSchedule(ctx, document)
	return err
}
