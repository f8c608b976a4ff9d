// Command slipway-lambda is a Lambda function, for the runtime provided.al2023: it
// starts the pipelines of CodePipeline that a push is about, and deploys as one of
// their actions; see docs/lambda.md.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	slipway "github.com/slipway-cd/slipway/internal/lambda"
)

func main() {
	log := newLog(os.Stdout, os.Getenv("AWS_LAMBDA_LOG_LEVEL"))
	function, err := configured(log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(function.Handle)
}

func configured(log *slog.Logger) (*slipway.Function, error) {
	settings, err := slipway.SettingsFrom(os.Getenv)
	if err != nil {
		return nil, err
	}
	own, err := configuration(os.Getenv)
	if err != nil {
		return nil, err
	}
	return slipway.New(slipway.Options{
		AWS: own, Settings: settings, Logger: log,
		Target: func(_ context.Context, region string) (aws.Config, error) {
			there := own.Copy()
			if region != "" {
				there.Region = region
			}
			return there, nil
		},
	}), nil
}
