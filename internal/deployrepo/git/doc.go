// Package git runs the git binary and reads what it prints. It knows no app
// and no revision.json; package deployrepo gives its answers a meaning.
//
//	Dir ── run ──► git ls-tree, cat-file --batch, log, fast-import, fetch, push
//	 │               │
//	 │               └─ fails: *Failure ── Explain ──► slipway.Error: what to do
//	 └─ Location: the URL or folder, whose secrets are never printed
//
// What a user's configuration is for keeps working: credential helpers, ssh,
// proxies, url.insteadOf, identity. What would disturb us is turned off for
// each command: prompts, translations, client-side hooks, signatures in the log,
// variables that point git at another repository.
//
// Only objects and one ref of our own are ever written to a git directory; a
// branch moves by `git push` alone, so that hooks and rules of the receiving
// side hold, also when that is the same folder. Git 2.31 or newer is needed.
package git
