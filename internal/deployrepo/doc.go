// Package deployrepo is the deployment repository: git in, revisions, changes
// and history out; and the commits that deploy, roll back and begin.
//
//	URL ── ls-remote, fetch ──► mirror ─┐
//	                                    ├─► Refresh ─► head ─► Tree ─► Load ─► Revision, Pipeline
//	folder, read where it is ───────────┘               │
//	     ▲                                              ├─► Log ─► history of one app
//	     └──── push ◄── fast-import ◄── Edit ◄── Write ─┘
//
// Three rules carry it:
//
//   - State, not events. A Tree names the blob of each revision.json; whoever
//     keeps the blobs last seen knows what has changed by comparing, however
//     many pushes, forced updates or days lie between.
//   - One app's broken file is that app's: it is a Problem with file, line and
//     column, or the Err of that one app, and never the error of a call about all.
//   - The branch moves by `git push` alone, with the commit that it is expected
//     at, for a folder as for a URL. So hooks and rules of the repository hold,
//     a checked-out work tree is never left behind its branch, and of many
//     writers each lands on top of the one before.
//
// The number of git processes does not depend on the number of apps: looking
// for changes takes two (one, where there are none), reading all that changed
// two more.
//
// Package git runs the binary and files knows the formats. This package knows
// nothing of executions and of AWS.
package deployrepo
