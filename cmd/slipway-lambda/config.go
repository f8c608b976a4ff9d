package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// configuration is the SDK's, from what Lambda puts into a function's environment. The
// SDK's own package config reads files and asks single sign-on and instance metadata
// services as well, which a function does not have: it would be a fifth of the binary.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func configuration(getenv func(string) string) (aws.Config, error) {
	c := aws.Config{Region: getenv("AWS_REGION"), ConfigSources: []any{endpoints(getenv)}}
	key, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if c.Region == "" || key == "" || secret == "" {
		return c, fmt.Errorf("AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set, as Lambda does")
	}
	c.Credentials = credentials.NewStaticCredentialsProvider(key, secret, getenv("AWS_SESSION_TOKEN"))
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		c.BaseEndpoint = &url
	}
	return c, nil
}

// endpoints finds the endpoint of one service, as AWS_ENDPOINT_URL_CODECOMMIT.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
type endpoints func(string) string

// GetServiceBaseEndpoint is what the SDK's clients ask a configuration's sources.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) { //nolint:unparam // the SDK says how it looks
	url := e("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_")))
	return url, url != "", nil
}
