// Package codecommit is as much of CodeCommit as a deployment repository needs:
// repositories, branches, commits, files and differences, over the API and over
// git, on real bare repositories.
//
//	GetFile, GetDifferences … ─┐
//	PutFile, CreateCommit … ───┼─► gitserver.Repository ─► NAME.git
//	git push, clone ───────────┘          │
//	                              each ref that changed
//	                                      ▼
//	             Events: "CodeCommit Repository State Change"
//
// Git is the state of a repository: its default branch is HEAD, and nothing of it
// is kept elsewhere but what git has no place for (name, description, key, tags)
// and the refs that were told of. So what changed while nobody looked, before a
// kill or behind the server's back, is told at the next start.
//
// The package knows git through gitserver alone, and EventBridge through [Events].
//
// Error texts are AWS's where they are known from its answers, and the API
// reference's description of the exception elsewhere.
//
// What it does not do: pull requests, merges, comments, approval rules, triggers;
// encryption (a key's name is kept); credentials.
//
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Operations.html
package codecommit
