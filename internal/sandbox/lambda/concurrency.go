package lambda

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// atOnce is how many invocations run at the same time; ours, for it is one machine.
// An account has a thousand.
const atOnce = 50

func (a api) PutFunctionConcurrency(_ context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	return change(a.Service, func() (*lambda.PutFunctionConcurrencyOutput, error) {
		f, _, err := a.find(in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		if aws.ToInt32(in.ReservedConcurrentExecutions) < 0 || in.ReservedConcurrentExecutions == nil {
			return nil, errValidation("Value at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0")
		}
		f.Reserved = in.ReservedConcurrentExecutions
		return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: f.Reserved}, nil
	})
}

func (a api) GetFunctionConcurrency(_ context.Context, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, _, err := a.find(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return &lambda.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: f.Reserved}, nil
}

func (a api) DeleteFunctionConcurrency(_ context.Context, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	return change(a.Service, func() (*lambda.DeleteFunctionConcurrencyOutput, error) {
		f, _, err := a.find(in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		f.Reserved = nil
		return &lambda.DeleteFunctionConcurrencyOutput{}, nil
	})
}

// admit counts an invocation of a function in, if there is room. Otherwise the
// error is what an invoker is told. The caller holds the lock.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
func (s *Service) admit(name string, reserved *int32) error {
	all := 0
	for _, n := range s.running {
		all += n
	}
	if reserved != nil && s.running[name] >= int(*reserved) || all >= atOnce {
		return &awsjson.Error{Code: "TooManyRequestsException", Message: "Rate Exceeded.", Status: http.StatusTooManyRequests}
	}
	if s.closed {
		return &awsjson.Error{Code: "ServiceException", Message: "The sandbox ends.", Status: http.StatusInternalServerError}
	}
	s.running[name]++
	return nil
}

// leave counts an invocation out.
func (s *Service) leave(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[name]--; s.running[name] <= 0 {
		delete(s.running, name)
	}
}
