// Command bootstrap is a Lambda function that does what its event says, for tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// request says what to do, answer what was seen.
type request struct{ Do string }

type answer struct {
	PID, Child, Count                  int
	RequestID, ARN, Name, Memory, Key  string
	Endpoint, Region, Variable, Client string
	Left                               time.Duration // until the deadline
}

var count int

func main() {
	if os.Getenv("INIT") == "exit" {
		os.Exit(7)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, in request) (*answer, error) {
	count++
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	out := &answer{
		PID: os.Getpid(), Count: count, RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Client: lc.ClientContext.Custom["a"],
		Name: os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), Memory: os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), Key: os.Getenv("AWS_ACCESS_KEY_ID"),
		Endpoint: os.Getenv("AWS_ENDPOINT_URL"), Region: os.Getenv("AWS_REGION"), Variable: os.Getenv("VARIABLE"),
		Left: time.Until(deadline),
	}
	switch in.Do {
	case "print":
		_, _ = fmt.Fprintln(os.Stdout, "to stdout")
		fmt.Fprint(os.Stderr, "to stderr, without an end")
	case "fail":
		return nil, errors.New("no such pipeline")
	case "panic":
		panic("lost")
	case "exit":
		os.Exit(3)
	case "hang":
		child := exec.Command("sleep", "3600") //nolint:noctx // it is to be left over
		if err := child.Start(); err != nil {
			return nil, err
		}
		// Before it hangs it tells who would be left.
		if err := os.WriteFile(os.Getenv("VARIABLE"), []byte(strconv.Itoa(os.Getpid())+" "+strconv.Itoa(child.Process.Pid)), 0o600); err != nil {
			return nil, err
		}
		select {}
	}
	return out, nil
}
