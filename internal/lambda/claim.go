package lambda

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway"
)

// lease is how long a claim keeps others away: longer than an invocation that made
// one can be at work (budget), with what clocks may differ. Lambda's are kept in time.
const lease = budget + 10*time.Second

// memory keeps an execution for one invocation, as the Store of its steps. Before a
// call that writes to AWS, it claims the job.
type memory struct {
	execution slipway.Execution
	// claim gives the job its answer: to be called again, with the attempt counted.
	claim   func(ctx context.Context, e slipway.Execution) error
	claimed bool
}

// Execution returns what is kept.
func (m *memory) Execution(context.Context, string) (slipway.Execution, error) {
	return m.execution, nil
}

// Save keeps e. Before a first attempt, the job has to be claimed, once for the calls
// of one invocation: an error means that nothing may be written. A later attempt looks
// before it acts, and needs its job's answer to tell how it ended.
func (m *memory) Save(ctx context.Context, e slipway.Execution) error {
	if e.Deployment.Attempt == 1 && !m.claimed {
		if err := m.claim(ctx, e); err != nil {
			return err
		}
		m.claimed = true
	}
	m.execution = e
	return nil
}

// Finish is never asked for: an execution's end is the job's answer.
func (m *memory) Finish(_ context.Context, e slipway.Execution, _ time.Time) ([]slipway.Execution, error) {
	m.execution = e
	return nil, nil
}

// TaskDefinitions returns none: there are no books of what the app registered.
func (m *memory) TaskDefinitions(context.Context, slipway.App, string) ([]string, error) {
	return nil, nil
}

// Registered returns nil: what the app registered is found by its tags.
func (m *memory) Registered(context.Context, slipway.App) ([]string, error) { return nil, nil }
