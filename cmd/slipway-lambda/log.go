package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// newLog writes JSON, as Lambda's own logs in that format are, with each record's
// request id. The level is that of the function's logging configuration, which Lambda
// hands over as AWS_LAMBDA_LOG_LEVEL; info if there is none.
func newLog(out io.Writer, level string) *slog.Logger {
	var at slog.Level
	if at.UnmarshalText([]byte(level)) != nil {
		at = slog.LevelInfo
	}
	return slog.New(withRequest{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: at, ReplaceAttr: lambdacontext.ReplaceAttr})})
}

// withRequest adds the invocation's request id.
type withRequest struct{ slog.Handler }

func (h withRequest) Handle(ctx context.Context, r slog.Record) error {
	if in, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", in.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withRequest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withRequest{h.Handler.WithAttrs(attrs)}
}

func (h withRequest) WithGroup(name string) slog.Handler {
	return withRequest{h.Handler.WithGroup(name)}
}
