package truth_test

import (
	"cmp"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/steps"
	"github.com/slipway-cd/slipway/internal/target"
	"github.com/slipway-cd/slipway/internal/truth"
)

// play is what has to be done to AWS so that a scenario happens.
type play struct {
	// tag is that of the image that is deployed: 2.0.0 if empty.
	tag string
	// service are settings of the service beside those of its way.
	service []sandboxtest.ServiceOption
	world   []sandboxtest.Option
	// before is done once the app runs; during, beside the deployment, from the
	// moment at which its task definition is registered.
	before, during func(s *stage)
	// slack is how much longer or shorter than the table says it may take, where that
	// is chance.
	slack time.Duration
	// alarm has an alarm watch the deployment.
	alarm bool
}

// stage is the app that is deployed, and the AWS in which it is.
type stage struct {
	t   *testing.T
	ctx context.Context // ends with the deployment
	way truth.Way
	w   *sandboxtest.World
	s   *sandboxtest.Service // nil for a batch app
	app slipway.App
	// registered is closed once the task definition is, and started once the
	// deployment is.
	registered, started chan struct{}
	execution           slipway.Execution
}

// perform plays a scenario and returns the cell that it makes.
func perform(t *testing.T, way truth.Way, p play) truth.Cell {
	s := &stage{t: t, way: way, w: sandboxtest.New(t, p.world...), registered: make(chan struct{}), started: make(chan struct{})}
	s.seed(p)
	if p.before != nil {
		p.before(s)
	}
	ctx, over := context.WithCancel(t.Context())
	s.ctx = ctx
	s.w.ForgetCalls()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if p.during != nil && s.reached(s.registered) {
			p.during(s)
		}
	}()
	began := time.Now()
	e := s.deploy(cmp.Or(p.tag, "2.0.0"))
	took := time.Since(began)
	over()
	<-done
	if e.Status != e.Outcome.Status() {
		t.Errorf("it is %s, with outcome %s", e.Status, e.Outcome)
	}
	return truth.Cell{
		Outcome: e.Outcome, By: e.RolledBackBy, Cause: cause(e), Says: plain(e.Reason), Writes: s.w.Calls().Writes().Effective().Operations(),
		Runs: s.runs(), After: took,
	}
}

// deploy runs one execution in the foreground, by the same steps as the engine
// takes.
func (s *stage) deploy(tag string) slipway.Execution {
	images := []slipway.Image{{Container: s.app.Name, URI: image(s.app.Name, tag)}}
	e := slipway.Execution{
		ID: "0190a5b8-5d6e-7a57-8b3c-3f1c9d2e4a60", CreatedAt: time.Now(), Pipeline: slipway.DefaultPipeline(s.app),
		Revision: slipway.Revision{App: s.app, Commit: "c0ffee", Blob: tag, Images: images},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerManual, At: time.Now()},
	}
	e.Pipeline.TestRun = s.way == truth.Schedule
	aws := target.New(target.Options{Config: func(context.Context, string) (aws.Config, error) { return s.w.Config(), nil }})
	e, err := steps.Run(s.t.Context(), aws, slog.New(slog.DiscardHandler), e, s.moved)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// moved notes how far the execution came.
func (s *stage) moved(e slipway.Execution) {
	reach := func(reached chan struct{}) {
		select {
		case <-reached:
		default:
			close(reached)
		}
	}
	switch e.Deployment.Phase {
	case slipway.PhaseRegistered:
		reach(s.registered)
	case slipway.PhaseTesting, slipway.PhaseStarted:
		s.execution = e
		reach(s.started)
	default:
	}
}

// reached waits for a moment of the deployment, and says whether it came.
func (s *stage) reached(moment chan struct{}) bool {
	select {
	case <-moment:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// pass lets time pass, and says whether the deployment still goes on.
func (s *stage) pass(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func image(name, tag string) string { return "registry.example.com/" + name + ":" + tag }

// plain is a reason with an ellipsis for each thing that differs from one
// deployment to the next.
func plain(reason string) string {
	for _, changing := range []string{
		`ecs-svc/\d+`, `\bd-[A-Z0-9]{9}\b`, `\b[0-9a-f]{32}\b`, `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, `[0-9a-f]{8}-[0-9a-f-]{27}`, `arn:aws:elasticloadbalancing:[^)]*`,
	} {
		reason = regexp.MustCompile(changing).ReplaceAllString(reason, "…")
	}
	return reason
}

// cause is what made AWS roll back, where it did.
func cause(e slipway.Execution) slipway.Cause {
	if e.RolledBackBy == slipway.BySlipway || e.Observation == nil {
		return ""
	}
	return e.Observation.Cause
}

// short is a task definition's family and revision.
func short(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
