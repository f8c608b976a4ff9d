// Package files knows the three files of a deployment repository as text:
//
//	<cluster>/<app>/revision.json   ParseRevision, EditRevision, FormatRevision
//	slipway.yaml                    ParseRepository ─┐
//	<cluster>/<app>/pipeline.yaml   ParsePipeline ───┴─► Resolve: slipway.Pipeline
//
// It is pure: text comes in, values or Problems with their line and column go
// out. It knows nothing of git, folders or AWS.
//
// A file is read strictly and wholly: every problem in it is told at once, and
// a file with a problem yields nothing to deploy. Warnings do not stop it.
// The YAML files' Go types are the one definition of their format; package
// files/schema makes the published JSON Schemas out of them.
package files
