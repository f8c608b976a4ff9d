package engine

import (
	"context"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Queue decides, in one transaction each, which executions run.
type Queue interface {
	// Submit queues executions and returns those that begin at once.
	Submit(ctx context.Context, in pipeline.Submission) (begun []slipway.Execution, err error)
	RequestStop(ctx context.Context, id string, stop slipway.StopRequest) (slipway.Execution, error)
	// RecordDecision writes down what a person decided about an execution's hook, once
	// for each hook, and returns the execution as it is then.
	RecordDecision(ctx context.Context, id string, decision slipway.Decision) (slipway.Execution, error)
	// InProgress returns what runs, as the tables say.
	InProgress(ctx context.Context) ([]slipway.Execution, error)
}
