package controlplane_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// ecsEvent is as much of an event as the tests look at.
type ecsEvent struct {
	DetailType string `json:"detail-type"`
	Resources  []string
	Detail     struct {
		EventType, EventName, DeploymentID, Reason, ClusterARN, LastStatus, StopCode, CreatedAt, HealthStatus string
		Version                                                                                               int
		Containers                                                                                            []struct{ ExitCode *int }
	}
}

// TestEvents: EventBridge hears of tasks, deployments and services.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		ctx := t.Context()
		queue, err := w.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.EventBridge().PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source": ["aws.ecs"]}`)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.EventBridge().PutTargets(ctx, &eventbridge.PutTargetsInput{
			Rule: aws.String("r"), Targets: []eventtypes.Target{{Id: aws.String("q"), Arn: aws.String("arn:aws:sqs:ca-central-1:111122223333:q")}},
		}); err != nil {
			t.Fatal(err)
		}
		heard := func() (all []ecsEvent) {
			t.Helper()
			synctest.Wait()
			for {
				out, err := w.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
				if err != nil {
					t.Fatal(err)
				}
				if len(out.Messages) == 0 {
					return all
				}
				for _, m := range out.Messages {
					var e ecsEvent
					if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
						t.Fatalf("%s: %v", *m.Body, err)
					}
					all = append(all, e)
					if _, err := w.SQS().DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		names := func(all []ecsEvent) (names []string) {
			for _, e := range all {
				if e.Detail.EventName != "" {
					names = append(names, e.Detail.EventType+" "+e.Detail.EventName)
				}
			}
			slices.Sort(names)
			return names
		}

		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true))
		all := heard()
		if got, want := names(all), []string{"INFO SERVICE_DEPLOYMENT_COMPLETED", "INFO SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO SERVICE_STEADY_STATE"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		var statuses []string
		versions := map[int]bool{}
		for _, e := range all {
			if e.DetailType == "ECS Task State Change" {
				statuses = append(statuses, e.Detail.LastStatus)
				if versions[e.Detail.Version] || e.Detail.HealthStatus != "" || !strings.HasSuffix(e.Detail.CreatedAt, "Z") || !strings.Contains(e.Resources[0], ":task/cluster1/") {
					t.Errorf("task event %+v", e)
				}
				versions[e.Detail.Version] = true
			}
			if e.Detail.EventName == "SERVICE_DEPLOYMENT_COMPLETED" && (e.Resources[0] != s.ARN || e.Detail.Reason != "ECS deployment "+e.Detail.DeploymentID+" completed.") {
				t.Errorf("deployment event %+v", e)
			}
		}
		slices.Sort(statuses)
		if want := []string{"ACTIVATING", "PENDING", "PROVISIONING", "RUNNING"}; !slices.Equal(statuses, want) {
			t.Errorf("statuses %v, want %v", statuses, want)
		}

		// A restart tells nothing anew.
		w.Restart()
		if got := names(heard()); len(got) > 0 {
			t.Errorf("after a restart %v", got)
		}

		s.Deploy("registry.example.com/webapp1:2.0.0-crash")
		s.Settle()
		all = heard()
		for _, want := range []string{"ERROR SERVICE_DEPLOYMENT_FAILED", "INFO SERVICE_DEPLOYMENT_COMPLETED", "INFO SERVICE_STEADY_STATE"} {
			if !slices.Contains(names(all), want) {
				t.Errorf("events %v lack %s", names(all), want)
			}
		}
		exited := slices.ContainsFunc(all, func(e ecsEvent) bool {
			return e.Detail.LastStatus == "STOPPED" && e.Detail.StopCode == "EssentialContainerExited" && *e.Detail.Containers[0].ExitCode == 1
		})
		if !exited {
			t.Error("nothing tells of the task that crashed")
		}
	})
}
