package slipway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestParseApp(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 255)
	for _, test := range []struct {
		text string
		want slipway.App
		says string // part of the error; empty: none
	}{
		{text: "cluster1/webapp1", want: slipway.App{Cluster: "cluster1", Name: "webapp1"}},
		{text: "A-b_9/0", want: slipway.App{Cluster: "A-b_9", Name: "0"}},
		{text: long + "/" + long, want: slipway.App{Cluster: long, Name: long}},
		{text: "", says: "names no app"},
		{text: "webapp1", says: "names no app"},
		{text: "/webapp1", says: "cluster name is empty"},
		{text: "cluster1/", says: "app name is empty"},
		{text: "/", says: "cluster name is empty"},
		{text: "cluster1/webapp1/revision.json", says: `character '/'`},
		{text: ".git/hooks", says: `character '.'`},
		{text: "cluster1/web app", says: `character ' '`},
		{text: "cluster1/wébapp", says: `character 'é'`},
		{text: long + "x/webapp1", says: "has 256 characters"},
		{text: "cluster1/x" + long, says: "has 256 characters"},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			got, err := slipway.ParseApp(test.text)
			if test.says == "" {
				if err != nil || got != test.want {
					t.Errorf("got %v, %v; want %v", got, err, test.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, which does not say %q", err, test.says)
			}
			if got != (slipway.App{}) {
				t.Errorf("got %v beside the error", got)
			}
			if next := slipway.NextOf(err); next != slipway.NextUsage {
				t.Errorf("next is %q, want %q", next, slipway.NextUsage)
			}
		})
	}
}

func TestAppIsItsTextInJSON(t *testing.T) {
	t.Parallel()
	type document struct {
		App  slipway.App         `json:"app"`
		Keys map[slipway.App]int `json:"keys"`
	}
	app := slipway.App{Cluster: "cluster1", Name: "webapp1"}
	for _, test := range []struct {
		value document
		text  string
	}{
		{document{App: app, Keys: map[slipway.App]int{app: 1}}, `{"app":"cluster1/webapp1","keys":{"cluster1/webapp1":1}}`},
		{document{}, `{"app":"","keys":null}`}, // the zero App comes back as itself
	} {
		text, err := json.Marshal(test.value)
		if err != nil || string(text) != test.text {
			t.Errorf("got %s, %v; want %s", text, err, test.text)
		}
		var back document
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("read back %s: %v", text, err)
		}
		if diff := cmp.Diff(test.value, back); diff != "" {
			t.Errorf("%s came back changed (-want +got):\n%s", text, diff)
		}
	}
	var app2 slipway.App
	if err := json.Unmarshal([]byte(`"nonsense"`), &app2); slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("reading nonsense gave %v, want a usage error", err)
	}
}

// An execution is kept as JSON in many places, some of its parts while they
// are still empty: every one must come back as it was.
func TestExecutionSurvivesJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	app := slipway.App{Cluster: "cluster1", Name: "webapp1"}
	full := slipway.Execution{
		ID: "0193", Status: slipway.StatusStopping, Stage: slipway.StageDeploy, CreatedAt: at, StartedAt: at,
		Revision:    slipway.Revision{App: app, Commit: "c0ffee", Blob: "b10b", Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:1"}}},
		Trigger:     slipway.Trigger{Kind: slipway.TriggerPush, By: "Ada <ada@example.com>", At: at},
		Pipeline:    slipway.DefaultPipeline(app),
		Deployment:  slipway.Deployment{Execution: "0193", App: app, Phase: slipway.PhaseStarted, StartedAt: at, Attempt: 2},
		Observation: &slipway.Observation{At: at, State: slipway.StateProgressing, Events: []slipway.Event{{At: at, Message: "(service webapp1) has started 1 tasks"}}},
		Stop:        &slipway.StopRequest{By: "Ada", At: at, Abandon: true},
	}
	for name, e := range map[string]slipway.Execution{"full": full, "zero": {}, "queued": {ID: "0193", Revision: slipway.Revision{App: app}}} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var back slipway.Execution
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: read back %s: %v", name, text, err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Errorf("%s came back changed (-want +got):\n%s", name, diff)
		}
	}
}

func TestDurationIsItsTextInJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]slipway.Duration{`"30m0s"`: slipway.Duration(30 * time.Minute), `"0s"`: 0, `"1h30m0s"`: slipway.Duration(90 * time.Minute)} {
		var got slipway.Duration
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
		if back, err := json.Marshal(got); err != nil || string(back) != text {
			t.Errorf("%s came back as %s, %v", text, back, err)
		}
	}
	var d slipway.Duration
	if err := json.Unmarshal([]byte(`"half an hour"`), &d); err == nil {
		t.Errorf("half an hour is %v", d)
	}
}

func TestAppOrderAndPaths(t *testing.T) {
	t.Parallel()
	a, b, c := slipway.App{Cluster: "a", Name: "z"}, slipway.App{Cluster: "b", Name: "a"}, slipway.App{Cluster: "b", Name: "b"}
	for _, test := range []struct {
		x, y slipway.App
		want int
	}{{a, b, -1}, {b, c, -1}, {c, a, 1}, {b, b, 0}} {
		if got := test.x.Compare(test.y); got != test.want {
			t.Errorf("%s compared with %s is %d, want %d", test.x, test.y, got, test.want)
		}
	}
	if got := b.RevisionPath() + " " + b.PipelinePath(); got != "b/a/revision.json b/a/pipeline.yaml" {
		t.Errorf("paths are %s", got)
	}
}

func TestErrorChain(t *testing.T) {
	t.Parallel()
	inner := &slipway.Error{Next: slipway.NextRetry, Message: "too many calls", Hint: "wait", RetryAfter: time.Second, Err: io.EOF}
	for _, test := range []struct {
		name string
		err  error
		text string
		next slipway.Next
		hint string
	}{
		{name: "nil"},
		{name: "foreign", err: io.EOF, text: "EOF", next: slipway.NextNever},
		{name: "usage", err: slipway.Usagef("no %s", "app"), text: "no app", next: slipway.NextUsage},
		{name: "cause", err: inner, text: "too many calls: EOF", next: slipway.NextRetry, hint: "wait"},
		{name: "wrapped", err: fmt.Errorf("look: %w", inner), text: "look: too many calls: EOF", next: slipway.NextRetry, hint: "wait"},
		{name: "joined", err: errors.Join(io.ErrUnexpectedEOF, inner), text: "unexpected EOF\ntoo many calls: EOF", next: slipway.NextRetry, hint: "wait"},
		{
			// The outermost says what is next; the hint is the first there is.
			name: "nested", err: &slipway.Error{Next: slipway.NextPerson, Message: "start", Err: fmt.Errorf("call: %w", inner)},
			text: "start: call: too many calls: EOF", next: slipway.NextPerson, hint: "wait",
		},
		{name: "no message", err: &slipway.Error{Next: slipway.NextPerson, Err: io.EOF}, text: "EOF", next: slipway.NextPerson},
		{name: "no hint", err: &slipway.Error{Next: slipway.NextPerson, Message: "denied"}, text: "denied", next: slipway.NextPerson},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.err != nil && test.err.Error() != test.text {
				t.Errorf("text is %q, want %q", test.err, test.text)
			}
			if got := slipway.NextOf(test.err); got != test.next {
				t.Errorf("next is %q, want %q", got, test.next)
			}
			if got := slipway.HintOf(test.err); got != test.hint {
				t.Errorf("hint is %q, want %q", got, test.hint)
			}
		})
	}
	if !errors.Is(fmt.Errorf("look: %w", inner), io.EOF) {
		t.Error("the cause is lost")
	}
}

func TestOutcomeStatus(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[slipway.Outcome]slipway.Status{
		slipway.OutcomeDeployed:   slipway.StatusSucceeded,
		slipway.OutcomeUnchanged:  slipway.StatusSucceeded,
		slipway.OutcomeRolledBack: slipway.StatusFailed,
		slipway.OutcomeReplaced:   slipway.StatusSuperseded,
		slipway.OutcomeTimedOut:   slipway.StatusFailed,
		slipway.OutcomeStopped:    slipway.StatusStopped,
		slipway.OutcomeFailed:     slipway.StatusFailed,
		slipway.OutcomeNone:       slipway.StatusFailed,
		"of a newer build":        slipway.StatusFailed,
	} {
		if got := outcome.Status(); got != want {
			t.Errorf("%q ends as %s, want %s", outcome, got, want)
		}
		if !outcome.Status().Ended() {
			t.Errorf("%q does not end", outcome)
		}
	}
	for _, status := range []slipway.Status{slipway.StatusQueued, slipway.StatusInProgress, slipway.StatusStopping, ""} {
		if status.Ended() {
			t.Errorf("%q counts as ended", status)
		}
	}
}

func TestObservationFinal(t *testing.T) {
	t.Parallel()
	for state, want := range map[slipway.State]bool{
		slipway.StateProgressing: false, slipway.StateRollingBack: false,
		slipway.StateDeployed: true, slipway.StateRolledBack: true, slipway.StateReplaced: true,
		slipway.StateFailed: true, slipway.StateGone: true,
	} {
		if got := (slipway.Observation{State: state}).Final(); got != want {
			t.Errorf("%s final: %v, want %v", state, got, want)
		}
	}
}

func image(container, uri string) slipway.Image {
	return slipway.Image{Container: container, URI: uri}
}

func TestImages(t *testing.T) {
	t.Parallel()
	web, proxy, newer := image("web", "example.com/web:1"), image("proxy", "example.com/proxy:1"), image("web", "example.com/web:2")
	for _, test := range []struct {
		name       string
		a, b       []slipway.Image
		same, runs bool // runs: a service with a runs what git says with b
	}{
		{name: "nothing", same: true, runs: true},
		{name: "equal", a: []slipway.Image{web}, b: []slipway.Image{web}, same: true, runs: true},
		{name: "other order", a: []slipway.Image{web, proxy}, b: []slipway.Image{proxy, web}, same: true, runs: true},
		{name: "other image", a: []slipway.Image{web}, b: []slipway.Image{newer}},
		{name: "a sidecar beside", a: []slipway.Image{web, proxy}, b: []slipway.Image{web}, runs: true},
		{name: "a container too few", a: []slipway.Image{web}, b: []slipway.Image{web, proxy}},
		{name: "the same image elsewhere", a: []slipway.Image{image("x", web.URI)}, b: []slipway.Image{web}},
	} {
		a, b := append([]slipway.Image(nil), test.a...), append([]slipway.Image(nil), test.b...)
		if got := slipway.SameImages(a, b); got != test.same {
			t.Errorf("%s: same is %v", test.name, got)
		}
		if got := slipway.SameImages(b, a); got != test.same {
			t.Errorf("%s: same is %v the other way round", test.name, got)
		}
		if got := slipway.Runs(a, b); got != test.runs {
			t.Errorf("%s: runs is %v", test.name, got)
		}
		if diff := cmp.Diff(test.a, a); diff != "" {
			t.Errorf("%s: comparing changed the list:\n%s", test.name, diff)
		}
	}
	for want, images := range map[string][]slipway.Image{
		"":                  nil,
		"example.com/web:1": {web},
		"web=example.com/web:1, proxy=example.com/proxy:1": {web, proxy},
	} {
		if got := slipway.FormatImages(images); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestShortCommit(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"": "", "c0ffee": "c0ffee", "c0ffee0012": "c0ffee00"} {
		if got := slipway.ShortCommit(id); got != want {
			t.Errorf("%q is short %q, want %q", id, got, want)
		}
	}
}
