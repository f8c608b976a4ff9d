package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func TestJoin(t *testing.T) {
	tests := []struct {
		name       string
		log        []Logged
		executions []slipway.Execution
		want       []string // execution id per entry, "-" for none
	}{
		{
			name: "nothing at all",
			want: []string{},
		},
		{
			name:       "each commit gets its execution, in whatever order they come",
			log:        []Logged{logged("c2", "y", 20), logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "c1", "x", 11), executed("2", "c2", "y", 21)},
			want:       []string{"2", "1"},
		},
		{
			name:       "several commits in one push: only the pushed head ran",
			log:        []Logged{logged("c3", "z", 20), logged("c2", "y", 19), logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "c1", "x", 11), executed("2", "c3", "z", 21)},
			want:       []string{"2", "-", "1"},
		},
		{
			name:       "a retry is the newer execution of the same commit",
			log:        []Logged{logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("2", "c1", "x", 30), executed("1", "c1", "x", 11)},
			want:       []string{"2"},
		},
		{
			name:       "CodePipeline's ids are random: the time says which is newer",
			log:        []Logged{logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "c1", "x", 30), executed("2", "c1", "x", 11)},
			want:       []string{"1"},
		},
		{
			name:       "the executed commit changed pipeline.yaml alone: it runs the content of the commit before",
			log:        []Logged{logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "p1", "x", 16)},
			want:       []string{"1"},
		},
		{
			name:       "an earlier content came back later: an execution belongs to the content's time",
			log:        []Logged{logged("c3", "x", 30), logged("c2", "y", 20), logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "p1", "x", 16), executed("2", "c2", "y", 21)},
			want:       []string{"-", "2", "1"},
		},
		{
			name:       "a force push rewrote the commit and kept its content",
			log:        []Logged{logged("rewritten", "x", 10)},
			executions: []slipway.Execution{executed("1", "gone", "x", 11)},
			want:       []string{"1"},
		},
		{
			name:       "the committer's clock is ahead of ours",
			log:        []Logged{logged("c2", "x", 90), logged("c1", "x", 80)},
			executions: []slipway.Execution{executed("1", "gone", "x", 11)},
			want:       []string{"-", "1"},
		},
		{
			name:       "content that the log never had is left out",
			log:        []Logged{logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "gone", "q", 11)},
			want:       []string{"-"},
		},
		{
			name:       "a removal has no content, so an execution without a blob is not its own",
			log:        []Logged{logged("c2", "", 20), logged("c1", "x", 10)},
			executions: []slipway.Execution{executed("1", "gone", "", 25)},
			want:       []string{"-", "-"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries := Join(test.log, test.executions)
			if entries == nil {
				t.Fatal("nil, want an empty list: scripts would see null")
			}
			got := make([]string, len(entries))
			for i, entry := range entries {
				if entry.ID != test.log[i].Entry.ID {
					t.Errorf("entry %d is commit %s, want the log's order: %s", i, entry.ID, test.log[i].Entry.ID)
				}
				got[i] = "-"
				if entry.Execution != nil {
					got[i] = entry.Execution.ID
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("executions by entry (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJoinKeepsWhatTheLogSays(t *testing.T) {
	entry := slipway.HistoryEntry{
		Commit:  slipway.Commit{ID: "c1", Author: "Dev <dev@example.com>", Time: monday, Message: "webapp1 1.4.2"},
		Images:  []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:1.4.2"}},
		Problem: "a note",
	}
	execution := slipway.Execution{
		ID: "1", Revision: slipway.Revision{Commit: "c1", Blob: "x"},
		Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack, Reason: "exit code 1",
		StartedAt: monday.Add(time.Second), EndedAt: monday.Add(time.Minute),
	}
	want := entry
	want.Execution = &slipway.ExecutionSummary{
		ID: "1", Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack, Reason: "exit code 1",
		StartedAt: monday.Add(time.Second), EndedAt: monday.Add(time.Minute),
	}
	got := Join([]Logged{{Entry: entry, Blob: "x"}}, []slipway.Execution{execution})
	if diff := cmp.Diff([]slipway.HistoryEntry{want}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func logged(commit, blob string, minute int) Logged {
	return Logged{Blob: blob, Entry: slipway.HistoryEntry{
		Commit: slipway.Commit{ID: commit, Time: monday.Add(time.Duration(minute) * time.Minute)},
	}}
}

func executed(id, commit, blob string, minute int) slipway.Execution {
	return slipway.Execution{
		ID:        id,
		Revision:  slipway.Revision{Commit: commit, Blob: blob},
		CreatedAt: monday.Add(time.Duration(minute) * time.Minute),
	}
}
