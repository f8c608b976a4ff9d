// Package protocol lets the sandbox's services speak AWS's other protocols,
// though all of them are written for one: a request in any of them is turned
// into an awsJson request, and the answer back.
//
//	POST /service/S/operation/O  CBOR ─┐                  ┌─► CBOR
//	POST /schedules/NAME?…       JSON ─┼─► X-Amz-Target ──┼─► JSON
//	POST /                    awsJson ─┘   S.O  JSON      └─► awsJson
//
// So faults, journals and records need to know awsJson alone. CloudWatch's
// newest clients speak rpcv2Cbor, those of EventBridge Scheduler and Lambda
// restJson1, of which a new operation is one line of a table.
//
// Not spoken: awsQuery, which CloudWatch's clients of before mid 2025 use.
//
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
package protocol
