// Package terraform checks the Terraform modules: their format, their tests, and
// that the examples are valid. It needs terraform and the AWS provider in a folder
// of providers, fetches neither, and is skipped, saying so, without.
//
//	terraform/ ──copy──► a temporary folder ──► terraform fmt, test, validate
//	                                                   │
//	                               one provider, started once, that all attach to
//
// Nothing here reaches AWS or a sandbox: the modules' tests mock the provider.
// What the modules do when they are applied is seen in e2e/aws.
package terraform
