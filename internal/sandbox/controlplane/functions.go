package controlplane

import (
	"context"
	"fmt"
)

// Functions are the Lambda functions that lifecycle hooks name. Invoke calls one
// with a JSON document and returns its answer; an error says that it could not be
// called, in words that end up in the service deployment's reason. It is called
// without any lock, several times at once, and must end when ctx does.
type Functions interface {
	Invoke(ctx context.Context, functionARN string, payload []byte) ([]byte, error)
}

// noFunctions is an account without functions.
type noFunctions struct{}

func (noFunctions) Invoke(_ context.Context, functionARN string, _ []byte) ([]byte, error) {
	return nil, fmt.Errorf("Function not found: %s", functionARN) //nolint:staticcheck // Lambda's own words
}
