package target

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"golang.org/x/time/rate"

	"github.com/slipway-cd/slipway"
)

// bucket is a group of actions that share one of ECS's token buckets.
type bucket int

const (
	taskDefinitionModify bucket = iota
	taskDefinitionRead
	serviceModify
	serviceRead
	serviceDeploymentRead
	serviceRevisionRead
	clusterResourceRead
	logsRead
	codeDeployModify
	codeDeployRead
	clusterRead
	clusterResourceModify
	ruleControl
	scheduleControl
	buckets
)

// share is the part of ECS's rates that Slipway takes for itself: it is a guest
// in the account, and others call ECS there too.
const share = 0.8

// budget keeps calls below ECS's rates per account and region. One counts for a
// region, role and endpoint: two roles of one account have one each.
type budget [buckets]*rate.Limiter

// newBudget has the rates of the ECS API reference, "Request throttling for the
// Amazon ECS API": sustained per second, and burst. That page does not list
// StopServiceDeployment and ContinueServiceDeployment; they count as changes of
// a service here. GetLogEvents has the quota of CloudWatch Logs.
// CodeDeploy publishes no rates: those here are what a guest may well take.
// EventBridge's and Scheduler's are their quotas; Scheduler's that of the smallest
// regions, less what listing needs.
func newBudget() *budget {
	limit := func(sustained float64, burst int) *rate.Limiter {
		return rate.NewLimiter(rate.Limit(share*sustained), int(share*float64(burst)))
	}
	return &budget{
		taskDefinitionModify:  limit(1, 20),
		taskDefinitionRead:    limit(20, 50),
		serviceModify:         limit(5, 50),
		serviceRead:           limit(20, 100),
		serviceDeploymentRead: limit(20, 50),
		serviceRevisionRead:   limit(20, 50),
		clusterResourceRead:   limit(20, 100),
		logsRead:              limit(10, 10),
		codeDeployModify:      limit(2, 10),
		codeDeployRead:        limit(10, 50),
		clusterRead:           limit(20, 50),
		clusterResourceModify: limit(40, 100),
		ruleControl:           limit(50, 50),
		scheduleControl:       limit(200, 200),
	}
}

// bucketOf says from which bucket ECS takes an action's tokens; false for an
// action that this package does not use.
func bucketOf(action string) (bucket, bool) {
	switch action {
	case "RegisterTaskDefinition", "DeregisterTaskDefinition":
		return taskDefinitionModify, true
	case "DescribeTaskDefinition", "ListTaskDefinitions":
		return taskDefinitionRead, true
	case "UpdateService", "StopServiceDeployment", "ContinueServiceDeployment":
		return serviceModify, true
	case "DescribeServices", "ListServices":
		return serviceRead, true
	case "ListServiceDeployments", "DescribeServiceDeployments":
		return serviceDeploymentRead, true
	case "DescribeServiceRevisions":
		return serviceRevisionRead, true
	case "ListTasks", "DescribeTasks":
		return clusterResourceRead, true
	case "GetLogEvents":
		return logsRead, true
	case "CreateDeployment", "StopDeployment", "ContinueDeployment":
		return codeDeployModify, true
	case "ListApplications", "BatchGetApplications", "ListDeploymentGroups", "BatchGetDeploymentGroups", "GetDeploymentGroup",
		"ListDeployments", "BatchGetDeployments", "GetDeployment", "GetDeploymentTarget", "GetDeploymentConfig":
		return codeDeployRead, true
	case "DescribeClusters":
		return clusterRead, true
	case "RunTask":
		return clusterResourceModify, true
	case "ListRuleNamesByTarget", "ListTargetsByRule", "PutTargets":
		return ruleControl, true
	case "ListSchedules", "GetSchedule", "UpdateSchedule":
		return scheduleControl, true
	}
	return 0, false
}

// wait returns when it is this action's turn, first come first served. Where
// ctx's deadline comes before the turn, it returns at once, with NextRetry.
func (b *budget) wait(ctx context.Context, action string) error {
	of, known := bucketOf(action)
	if !known {
		return fmt.Errorf("ecs:%s is in no budget", action)
	}
	err := b[of].Wait(ctx)
	if err != nil && ctx.Err() == nil {
		return &slipway.Error{
			Next:       slipway.NextRetry,
			Message:    fmt.Sprintf("many calls of ecs:%s wait for their turn", action),
			RetryAfter: b.until(of, 1),
		}
	}
	return err
}

// until is how long it takes, if nobody else takes any, until the bucket has
// tokens; zero if it has them now.
func (b *budget) until(of bucket, tokens float64) time.Duration {
	missing := max(0, tokens-b[of].Tokens())
	return time.Duration(missing / float64(b[of].Limit()) * float64(time.Second))
}

// spare is how long to hold back what is not urgent, so that half of the bucket
// is there for what is.
func (b *budget) spare(of bucket) time.Duration {
	return b.until(of, float64(b[of].Burst())/2)
}

// paced is an SDK retryer that waits for the budget before each attempt, so that
// retries count as well.
type paced struct {
	aws.RetryerV2
	budget *budget
	sentAt *time.Time // where to note when the latest attempt went out, or nil
}

// GetAttemptToken waits for this attempt's turn.
func (p paced) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	if err := p.budget.wait(ctx, awsmiddleware.GetOperationName(ctx)); err != nil {
		return nil, err
	}
	if p.sentAt != nil {
		*p.sentAt = time.Now()
	}
	return p.RetryerV2.GetAttemptToken(ctx)
}

// retryer is the SDK's own, each attempt in its turn.
func (b *budget) retryer() aws.Retryer { return paced{RetryerV2: retry.NewStandard(), budget: b} }

// once is for a call that writes: its answer may be lost though it had its
// effect, so the SDK must not repeat it. Our caller comes back with
// Deployment.Attempt above 1 and looks first. sentAt becomes the time at which
// the call went out.
func (b *budget) once(sentAt *time.Time) func(*ecs.Options) {
	return func(o *ecs.Options) {
		o.Retryer = paced{RetryerV2: aws.NopRetryer{}, budget: b, sentAt: sentAt}
	}
}
