// Package awsjson serves AWS's awsJson1_1 protocol from plain Go methods of the
// shape of the SDK client's:
//
//	func (s *service) UpdateService(ctx context.Context, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error)
//
// A new action is one method. The input and output types are the SDK's own;
// reflection maps them to the wire, so there is nothing to generate:
//
//	POST /  X-Amz-Target: <service>.<Operation>  {"taskDefinition": …}
//	        │ decode: lower-camel member -> field, unknown members ignored
//	        ▼
//	     method(ctx, *Input) (*Output, error)
//	        │ encode: nil omitted, empty list kept, time as epoch seconds
//	        ▼
//	200 {…}   or   4xx/5xx {"__type": "ClusterNotFoundException", "message": …}
//
// A typed input loses the members that the SDK does not know. A method which
// must not lose them takes the document as it came, json.RawMessage, in place of
// the typed input, and reads it with [Unmarshal] where it needs to; an output
// member of type json.RawMessage is written as it is.
//
// The SDK's union types are refused with an error, and so are document types in
// requests: they can be written, but not read.
//
// Members are named as the services name them: in lower camel case, or in Pascal
// case as EventBridge does.
//
// The protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
package awsjson
