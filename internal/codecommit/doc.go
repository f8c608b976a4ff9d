// Package codecommit reads a deployment repository through CodeCommit's API, where
// there is no git: in a Lambda function, and in a Terraform run.
//
//	GetBranch      ─► Head          where a branch is
//	GetDifferences ─► Differences ─► Changed: which apps a push is about
//	GetFile        ─► Revision, Pipeline: one app's files at a commit
//	GetFolder,
//	ListFileCommitHistory ─► Touched: who touched an app last
//
// What the files mean is package files' affair, the same as for a repository that is
// read through git. Nothing is written, and nothing kept: a commit never changes.
//
// What this package must not know: pipelines, deployments, who asks.
package codecommit
