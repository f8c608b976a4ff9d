package codecommit_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// later lets a minute pass.
func later() {
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	<-timer.C
}

// Who touched an app last is what git log says of its folder.
func TestTouched(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		first := r.commit("cluster1/webapp1/revision.json", revision("example.com/webapp1:1"), "cluster1/webapp2/revision.json", revision("example.com/webapp2:1"))
		later()
		r.commit("cluster1/webapp1/revision.json", revision("example.com/webapp1:2"))
		later()
		set := r.commit("cluster1/webapp1/pipeline.yaml", "keep: 2")
		later()
		noted := r.commit("cluster1/webapp1/notes/on/call.md", "Ring twice.")
		later()
		r.commit("cluster1/webapp1/revision.json", revision("example.com/webapp1:3"))
		later()
		head := r.commit("cluster1/webapp2/pipeline.yaml", "keep: 3")
		for _, test := range []struct{ app, at string }{
			{"webapp1", head}, {"webapp2", head}, {"webapp1", noted}, {"webapp2", noted}, {"webapp1", set}, {"webapp1", first},
		} {
			got, err := r.Touched(t.Context(), slipway.App{Cluster: "cluster1", Name: test.app}, test.at)
			if err != nil {
				t.Fatal(err)
			}
			said, err := exec.CommandContext(t.Context(), "git", "-C", r.folder, "log", "-1", "--format=%H %an <%ae> %at %s", test.at, "--", "cluster1/"+test.app).Output()
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSpace(string(said)); strings.TrimSpace(fmt.Sprint(got.ID, " ", got.Author, " ", got.Time.Unix(), " ", got.Message)) != want {
				t.Errorf("%s at %.7s: %+v, want %s", test.app, test.at, got, want)
			}
		}

		if got, err := r.Touched(t.Context(), slipway.App{Cluster: "cluster1", Name: "none"}, head); err == nil || !strings.Contains(err.Error(), "cannot read the folder cluster1/none") {
			t.Errorf("no such app: %+v, %v", got, err)
		}
		if got, err := r.Touched(t.Context(), slipway.App{Cluster: "cluster1", Name: ".."}, head); slipway.NextOf(err) != slipway.NextUsage {
			t.Errorf("no app's name: %+v, %v", got, err)
		}
		for _, action := range []string{"GetFolder", "ListFileCommitHistory"} {
			r.world.FaultOnce(action, &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "no"}})
			_, err := r.Touched(t.Context(), webapp1, head)
			if slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(slipway.HintOf(err), "codecommit:"+action) {
				t.Errorf("%s is denied: %v, hint: %s", action, err, slipway.HintOf(err))
			}
		}
	})
}

// However long a file's history is, its newest version is found in the first page.
func TestTouchedLongAgo(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var stream strings.Builder
		for i := range 120 {
			fmt.Fprintf(&stream, "commit refs/heads/master\ncommitter Ada <ada@example.com> %d +0000\ndata 0\nM 644 inline cluster1/webapp1/revision.json\ndata <<.\n%d\n.\n", 1700000000+i, i)
		}
		imported := exec.CommandContext(t.Context(), "git", "-C", r.folder, "fast-import", "--quiet")
		imported.Stdin = strings.NewReader(stream.String())
		if out, err := imported.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		head, err := r.Head(t.Context(), "master")
		if err != nil {
			t.Fatal(err)
		}
		r.world.ForgetCalls()
		if got, err := r.Touched(t.Context(), webapp1, head); err != nil || got.ID != head {
			t.Errorf("%+v, %v, want %s", got, err, head)
		}
		if calls := r.world.Calls().Operations(); len(calls) != 2 {
			t.Errorf("calls: %v", calls)
		}
	})
}
