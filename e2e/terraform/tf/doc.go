// Package tf runs terraform for tests, offline and with one running provider.
//
//	Start ──► terraform-provider-aws, once: half a gigabyte that takes seconds to begin
//	  │                 ▲
//	Root ──► terraform ─┘ attaches to it (TF_REATTACH_PROVIDERS)
//
// A provider that has to be started by terraform itself is installed, from a folder.
//
// A provider has one configuration at a time: roots that configure it differently
// want a provider each. It knows nothing of Slipway, nor of the sandbox.
package tf
