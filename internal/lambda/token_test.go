package lambda

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// full is a state in which all is said that a service's deployment can have.
func full() state {
	at := time.Date(2026, 11, 29, 12, 0, 0, 123_456_789, time.UTC)
	const account = "arn:aws:ecs:ap-southeast-2:123456789012:"
	return state{
		Pipeline: "deployment-main-production-payments-api", Execution: "0f8fad5b-d9cb-469f-a165-70867728950e", StartedAt: at,
		Action: pipeline.ActionObserveRollBack, Since: at.Add(time.Minute), Claimed: at.Add(2 * time.Minute), Begun: true,
		Deployment: slipway.Deployment{
			Execution: "0f8fad5b-d9cb-469f-a165-70867728950e", App: slipway.App{Cluster: "production", Name: "payments-api"}, Commit: strings.Repeat("c0ffee12", 5),
			Images:     []slipway.Image{{Container: "payments-api", URI: "example.com/payments-api:2"}},
			BaseImages: []slipway.Image{{Container: "payments-api", URI: "example.com/payments-api:1"}},
			Place:      slipway.Place{Kind: slipway.KindService, Cluster: "production", Service: "payments-api", Region: "eu-west-1", RoleARN: "arn:aws:iam::123456789012:role/deploy"},
			TestRun:    true, Phase: slipway.PhaseRollingBack, Attempt: 3, PreparedAt: at, Base: account + "task-definition/payments-api:1041", BaseDeployment: "ecs-svc/1234567890123456789",
			Strategy: slipway.StrategyBlueGreen, TaskDefinition: account + "task-definition/payments-api:1042", FirstWriteAt: at, StartedAt: at, ID: "ecs-svc/9876543210987654321",
			Restarts: 2, ResumedAt: at, RollbackFor: slipway.OutcomeRolledBack, RollbackReason: "tasks failed to start", RollbackStartedAt: at,
			RollbackID: account + "service-deployment/production/payments-api/AbCdEfGhIjKlMnOpQrStU",
		},
		Seen: &slipway.Observation{
			At: at, State: slipway.StateProgressing, Reason: "long", TaskDefinition: "long", BakeMinutes: 10,
			Hooks: []slipway.Hook{{ID: "hook-1", Stage: "POST_SCALE_UP", Expires: at}}, Events: []slipway.Event{{At: at, Message: "long"}},
		},
	}
}

// What comes back out of a token is all that the app's files and AWS do not say.
func TestToken(t *testing.T) {
	s := full()
	token, err := s.encode(tokenMost)
	if err != nil {
		t.Fatal(err)
	}
	if len(token) > 900 {
		t.Errorf("an ordinary token has %d characters", len(token))
	}
	got, err := decode(token)
	if err != nil {
		t.Fatal(err)
	}
	want := full()
	d := &want.Deployment
	d.Execution, d.App, d.Commit, d.Images, d.BaseImages, d.TestRun = "", slipway.App{}, "", nil, nil, false
	d.Place = slipway.Place{Kind: slipway.KindService}
	want.Seen = &slipway.Observation{At: want.Seen.At, State: slipway.StateProgressing, BakeMinutes: 10, Hooks: []slipway.Hook{{ID: "hook-1"}}}
	short := cmp.Transformer("milliseconds", func(at time.Time) string { return at.Format("15:04:05.000") })
	if diff := cmp.Diff(want, got, short); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// However much there is to say, the token fits: the reason's beginning and what cannot
// be read again stay.
func TestTokenFits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := func(n int) string {
		var text strings.Builder
		for range n {
			fmt.Fprintf(&text, "%x ", random.Uint64())
		}
		return text.String()
	}
	s := full()
	d := &s.Deployment
	d.RollbackReason = "3 of its tasks failed\n" + words(500)
	for i := range 300 {
		d.Targets = append(d.Targets, slipway.ScheduledTarget{Name: "schedule/" + words(1) + "/" + words(2), Before: d.Base})
		if i%100 == 7 {
			d.Targets[i].Before = strings.Replace(d.Base, "1041", "1033", 1)
		}
		if i%100 == 8 {
			d.Targets[i].Problem = "cannot move it: access denied"
		}
	}
	token, err := s.encode(tokenMost)
	if err != nil || len(token) > tokenMost {
		t.Fatalf("%d characters, %v", len(token), err)
	}
	got, err := decode(token)
	if err != nil || !got.Unnamed || len(got.Deployment.Targets) != 6 {
		t.Fatalf("%v: unnamed %t, %v", err, got.Unnamed, got.Deployment.Targets)
	}
	for _, i := range []int{7, 8, 107, 108, 207, 208} {
		if d.Targets[i] != got.Deployment.Targets[i/100*2+i%100-7] {
			t.Errorf("target %d is %+v", i, got.Deployment.Targets[i/100*2+i%100-7])
		}
	}
	if reason := got.Deployment.RollbackReason; !strings.HasPrefix(reason, "3 of its tasks failed\n") || !strings.HasSuffix(reason, cutMark) || len(reason) < 100 {
		t.Errorf("the reason is %q", reason)
	}
	// Each runs something else: that cannot be read again.
	for i := range d.Targets {
		d.Targets[i].Before = fmt.Sprint(d.Base, i)
	}
	if token, err := s.encode(tokenMost); err == nil {
		t.Errorf("300 task definitions fit into %d characters", len(token))
	}
}

func TestTokenOfAnotherBuild(t *testing.T) {
	token, err := full().encode(tokenMost)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"2" + token[1:], token[:len(token)/2], "1", "1!", "1" + strings.Repeat("A", 40)} {
		if _, err := decode(bad); err == nil || slipway.HintOf(err) == "" {
			t.Errorf("%.10s…: %v", bad, err)
		}
	}
}

// Continuation tokens of former builds are read for as long as a deployment may last:
// when the dictionary changes, so must the version.
func TestTokenOfThisVersion(t *testing.T) {
	const token = "1tNVBT4MwFAfwr7Ls7NP3HlAoN2OMMWYxRr14KzACzgDZ4Mh3NxQy6aA4o94KpQXey__XGVvyAqp9mTRx1z2olL5_AFXlAzCYBqlKvAgSGUfgCpmCIuGBj4HwfQ6kh9sjQiyACFi-EIeIIeIlsfP2LU3GMhoti6fTPJr-c8YGruyKneGVM_HKWpUZxVQFh7KpM40Gh8SO6wk_kEg8ydq4WyGhS0umjXcaRovMLVDwm2_k9QwJ1gKZUFgfM_iQgS8812HC48gQhU9FsW77I2d6TvrorepypV93Cse5VZzB5CulRk2vrqOb5Da9y-7fHz42xWP1tH-uX63yWP61NRla6sc_4XSxzspy15-rup3dJZA-1iK1227yoqm75BK27WcAAAD__w"
	s, err := decode(token)
	if err != nil || s.Deployment.TaskDefinition != full().Deployment.TaskDefinition {
		t.Errorf("%v: %+v", err, s.Deployment)
	}
}
