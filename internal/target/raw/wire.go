package raw

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Capture keeps the body of a call's answer, of which the SDK gives only the
// members that it knows. It is for the APIOptions of any client.
func Capture(body *[]byte) func(*middleware.Stack) error {
	capture := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok {
			return out, metadata, err
		}
		read, err := io.ReadAll(response.Body)
		if err != nil {
			return out, metadata, fmt.Errorf("reading the answer: %w", err)
		}
		if err := response.Body.Close(); err != nil {
			return out, metadata, fmt.Errorf("reading the answer: %w", err)
		}
		response.Body = io.NopCloser(bytes.NewReader(read))
		*body = read
		return out, metadata, nil
	}
	return func(stack *middleware.Stack) error {
		// After: next to the wire, so before the SDK reads the body.
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("SlipwayCaptureBody", capture), middleware.After)
	}
}

// Replace sends body instead of what the SDK wrote. It is swapped before the
// request is hashed and signed, so that signing, retries and endpoints stay the
// SDK's. It is for the APIOptions of any client.
func Replace(body []byte) func(*middleware.Stack) error {
	replace := func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
		middleware.SerializeOutput, middleware.Metadata, error,
	) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("the SDK's request is a %T", in.Request)
		}
		request, err := request.SetStream(bytes.NewReader(body))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("replacing the request's body: %w", err)
		}
		in.Request = request
		return next.HandleSerialize(ctx, in)
	}
	return func(stack *middleware.Stack) error {
		// After: behind the SDK's own serializer.
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("SlipwayReplaceBody", replace), middleware.After) //nolint:misspell // the SDK writes it so
	}
}
