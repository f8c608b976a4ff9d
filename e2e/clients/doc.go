// Package clients keeps the sandbox honest with clients that we did not write:
// the AWS CLI, boto3, and Terraform with the AWS provider, each unmodified and
// over a socket. A test skips, and says so, where its client is missing. `make
// e2e` runs them; without the build tag e2e there is nothing here.
package clients
