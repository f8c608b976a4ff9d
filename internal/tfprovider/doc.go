// Package tfprovider is the Terraform provider: what git says, and what runs, as
// data sources, so that a configuration need not name an image.
//
//	provider block ─┐                       ┌─ deployrepo ── git
//	data block ─────┼─► settings ─► reading ┼─ CodeCommit's API
//	environment ────┘   (pure)              └─ api.Client ── slipway serve
//	                                              │
//	                     state ◄── model ◄────────┘
//
// Like controller it composes leaves; unlike cli it has no arguments and no exit
// code, for Terraform has both. It only reads. A provider process lives as long as
// one plan or apply, and opens a repository once in it: all data sources of a plan
// see the same commit.
//
// What is not known at plan time is Terraform's affair where a data source is
// concerned: it reads later. An unknown value in the provider block is an error
// only where a data source needs it.
//
// Errors are those of the command line, with their hints, at the attribute that is
// to be changed; see tell.go. The package knows nothing of AWS but what CodeCommit
// is, and nothing of how an execution runs.
package tfprovider
