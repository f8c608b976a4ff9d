package target

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway"
)

// TestTestRun: nothing is moved before a task of the new task definition has ended
// with exit code 0; where it does not, nothing is moved at all.
func TestTestRun(t *testing.T) {
	for _, test := range []struct {
		image string
		state slipway.State
		says  []string
	}{
		{batch2, slipway.StateTested, []string{"the test run of batchapp1:2, task ", "ended with exit code 0"}},
		{batch2 + "-crash", slipway.StateFailed, []string{"failed: Essential container in task exited (container batchapp1 exit code 1"}},
		{batch2 + "-missing", slipway.StateFailed, []string{"failed: CannotPullContainerError"}},
	} {
		t.Run(string(test.state)+" "+test.image, func(t *testing.T) {
			inBatch(t, func(t *testing.T, w batchWorld, e kind) {
				w.five()
				d := batchDeployment(test.image)
				d.TestRun = true
				d = advance(t, e, d, slipway.PhaseRegistered)
				w.FaultOnce("RunTask", lost())
				d = advance(t, e, d, slipway.PhaseTesting)
				checkWrites(t, w.World, "RegisterTaskDefinition", "RunTask", "RunTask")
				if bodies := w.RawBodies("RunTask"); string(bodies[0]) != string(bodies[1]) || !strings.Contains(string(bodies[0]), `"run"`) ||
					!strings.Contains(string(bodies[0]), "subnet-0123456789abcdef0") || !strings.Contains(string(bodies[0]), `"clientToken":"`+d.Execution) {
					t.Errorf("RunTask: %s", bodies)
				}
				tasks, err := w.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("cluster1")})
				if err != nil || !slices.Equal(tasks.TaskArns, []string{d.TestTask}) {
					t.Errorf("tasks %v, %v; want %s", tasks, err, d.TestTask)
				}
				all := observe(t, e, d)
				checkEnd(t, last(all), test.state, "", test.says...)
				if o := all[0]; o.State != slipway.StateProgressing || !strings.Contains(o.Waiting, "the test run of batchapp1:2, task ") || o.Tasks.Pending != 1 {
					t.Errorf("at first %+v", o)
				}
				w.checkRuns(fiveRun("batchapp1:1"))
				if test.state == slipway.StateTested {
					d = advance(t, e, d, slipway.PhaseStarted)
					checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
					w.checkRuns(fiveRun("batchapp1:2"))
				}
			})
		})
	}
}
