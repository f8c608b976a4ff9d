package target

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-cd/slipway/internal/target/raw"
)

// captureBody keeps the body of a call's answer; see raw.Capture.
func captureBody(body *[]byte) func(*ecs.Options) { return withMiddleware(raw.Capture(body)) }

// replaceBody sends body instead of what the SDK wrote; see raw.Replace.
func replaceBody(body []byte) func(*ecs.Options) { return withMiddleware(raw.Replace(body)) }

func withMiddleware(add func(*middleware.Stack) error) func(*ecs.Options) {
	return func(o *ecs.Options) { o.APIOptions = append(o.APIOptions, add) }
}
