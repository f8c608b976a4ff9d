package history

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
)

// Logged is one commit of an app's revision.json, as its log has it.
type Logged struct {
	// Entry is the commit without its execution.
	Entry slipway.HistoryEntry
	// Blob is git's object id of revision.json at that commit; empty when the
	// commit removed it.
	Blob string
}

// Join gives each commit of one app's log the newest execution that ran it.
// The log is newest first, and so is the answer, which has an entry for each
// element of the log and is never nil; executions come in any order.
//
// An execution belongs to the commit that it names. That commit need not be in
// the log: it is the newest that touched the app's folder, perhaps its
// pipeline.yaml alone, or a force push replaced it by another with the same
// content. Then the execution belongs to the newest commit with its blob that
// is no younger than itself, because an earlier content may have come back
// since. An execution whose content the log never had is left out.
func Join(log []Logged, executions []slipway.Execution) []slipway.HistoryEntry {
	byCommit := make(map[string]int, len(log))
	byBlob := make(map[string][]int)
	entries := make([]slipway.HistoryEntry, len(log))
	shown := make([]slipway.Execution, len(log))
	for i, logged := range log {
		entries[i] = logged.Entry
		entries[i].Execution = nil
		byCommit[logged.Entry.ID] = i
		if logged.Blob != "" {
			byBlob[logged.Blob] = append(byBlob[logged.Blob], i)
		}
	}
	for _, execution := range executions {
		i, found := byCommit[execution.Revision.Commit]
		if !found {
			i, found = sameContent(log, byBlob[execution.Revision.Blob], execution)
		}
		if found && (shown[i].ID == "" || newer(execution, shown[i])) {
			shown[i], entries[i].Execution = execution, execution.Summary()
		}
	}
	return entries
}

// sameContent picks, among the log's entries with the execution's blob (newest
// first), the newest that existed when the execution was made. A committer's
// clock may be ahead of ours: then it is the oldest.
func sameContent(log []Logged, candidates []int, execution slipway.Execution) (int, bool) {
	if len(candidates) == 0 {
		return 0, false
	}
	at := slices.IndexFunc(candidates, func(i int) bool {
		return !log[i].Entry.Time.After(execution.CreatedAt)
	})
	if at < 0 {
		at = len(candidates) - 1
	}
	return candidates[at], true
}

// newer reports whether one execution was created after another. The built-in
// conductor's ids are in the order of creation, CodePipeline's are random.
func newer(one, other slipway.Execution) bool {
	return cmp.Or(one.CreatedAt.Compare(other.CreatedAt), strings.Compare(one.ID, other.ID)) > 0
}
