// Package e2e tests the binary by scripts that a user could read, on a sandbox
// of its own: testdata/script. `make e2e` runs them; without the build tag e2e
// there is nothing here.
package e2e
