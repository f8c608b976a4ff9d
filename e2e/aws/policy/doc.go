// Package policy says whether the policies of a role allow the calls that the role
// makes, as far as the policies in our modules go.
//
//	a call, as the sandbox tells it ──► Requests ──► action, resource, context ──┐
//	                                                                             ▼
//	the role's policies, as IAM has them ──► Parse ──────────────────────────► Allows
//
// Which actions and resources a call is about is a table, of the calls that occur;
// a call that is not in it is an error. The table is the Service Authorization
// Reference's: where that requires two resources, both have to be allowed, and a
// condition on a key that the action does not have is never met.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//
// What it does not do: Deny, NotAction, NotResource, policies of resources,
// boundaries, sessions, policy variables. A policy that has any of these is refused.
package policy
