package pipeline

import (
	"maps"
	"slices"

	"github.com/slipway-cd/slipway"
)

// Content identifies what git says of one app.
type Content struct {
	// Blob is git's object id of revision.json.
	Blob string
	// Files identifies everything that the app's execution reads: that,
	// pipeline.yaml and slipway.yaml.
	Files string
}

// Broken is remembered instead of the blob when the files could not be read:
// then any of them may be the one that is mended, and to mend it is to approve
// what revision.json says.
func (c Content) Broken() string { return "broken:" + c.Files }

// Known is what we remember of one app's pipeline: the content that was last
// executed or adopted.
type Known struct {
	// Blob is git's object id of the revision.json that was last executed, or
	// Content.Broken of files that could not be.
	Blob string
	// Removed reports that git no longer had the app when we last looked.
	Removed bool
}

// Changes is the difference between what git has and what was last executed.
// Each list is sorted.
type Changes struct {
	// New apps were never seen: they are adopted if the service already runs
	// what git says.
	New []slipway.App
	// Changed apps have another content than the one last executed, or came
	// back after they were removed with another content.
	Changed []slipway.App
	// Returned apps were removed and are back with the content last executed:
	// there is nothing to execute.
	Returned []slipway.App
	// Removed apps are gone from git; nothing is deleted in ECS.
	Removed []slipway.App
}

// Empty reports whether there is nothing to do.
func (c Changes) Empty() bool {
	return len(c.New)+len(c.Changed)+len(c.Returned)+len(c.Removed) == 0
}

// Compare finds the changes between git's apps and what is known. Comparing content, not events, means that a
// force push, a lost webhook or a day of downtime loses nothing and starts
// nothing twice.
func Compare(git map[slipway.App]Content, known map[slipway.App]Known) Changes {
	var changes Changes
	for app, content := range git {
		was, seen := known[app]
		switch {
		case !seen:
			changes.New = append(changes.New, app)
		case was.Blob != content.Blob && was.Blob != content.Broken():
			changes.Changed = append(changes.Changed, app)
		case was.Removed:
			changes.Returned = append(changes.Returned, app)
		}
	}
	for app := range maps.Keys(known) {
		if _, there := git[app]; !there && !known[app].Removed {
			changes.Removed = append(changes.Removed, app)
		}
	}
	for _, list := range [][]slipway.App{changes.New, changes.Changed, changes.Returned, changes.Removed} {
		slices.SortFunc(list, slipway.App.Compare)
	}
	return changes
}

// Supersedes says what a new execution does to the ones that wait and the one
// that runs.
type Supersedes struct {
	// Waiting: older waiting executions end as Superseded.
	Waiting bool
	// Running: the running execution is asked to stop at once.
	Running bool
}

// SupersedesBy says what mode does when a new execution arrives.
func SupersedesBy(mode slipway.Mode) Supersedes {
	switch mode {
	case slipway.ModeQueued:
		return Supersedes{}
	case slipway.ModeReplace:
		return Supersedes{Waiting: true, Running: true}
	case slipway.ModeSuperseded:
	}
	return Supersedes{Waiting: true}
}
