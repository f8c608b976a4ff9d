// Package truth is the truth table: what becomes of a deployment, for everything
// that can happen to it, in every way in which AWS deploys an app. The cells are
// data and nothing else; a test plays each of them, and the same data is the page
// that users read.
//
//	          Table ──────────► WriteDocument ─► docs/outcomes.md (make generate)
//	            │
//	            │ every cell    ┌─ play: what has to be done to AWS
//	            ▼               ▼
//	truth_test: perform ─► steps.Run ─► target ─► the SDK ─► sandbox, in virtual time
//	            │
//	            └─ status, outcome, who rolled back, the reason, the calls that write,
//	               what runs in the end, after how long ─► WriteMatrix (make truth)
//
// A cell says what a person on call should be told, whatever the code does: where
// the two differ, the code is wrong. A new scenario is a row here and a play of the
// same name in the test.
//
// What this package must not know: how any of it comes about. It imports the words
// of the root package alone, so that neither the page nor the binary drags the
// sandbox along.
package truth
