package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-cd/slipway"
)

// secret is a reference to a secret: env:NAME, or secretsmanager:ARN. Nothing that
// configures Slipway holds a secret itself.
type secret string

// The kinds of references.
const (
	fromEnvironment = "env:"
	fromManager     = "secretsmanager:"
)

// Validate is kong's: it refuses what is no reference, without repeating it.
func (s secret) Validate() error {
	name, inEnvironment := strings.CutPrefix(string(s), fromEnvironment)
	id, managed := strings.CutPrefix(string(s), fromManager)
	switch {
	case s == "", inEnvironment && name != "", managed && arn.IsARN(id):
		return nil
	}
	return fmt.Errorf("write env:NAME or secretsmanager:ARN: it says where the secret is, not what")
}

// read returns what reads the secret, or nil where there is no reference.
func (s secret) read() func(context.Context) (string, error) {
	if s == "" {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		if name, found := strings.CutPrefix(string(s), fromEnvironment); found {
			return environment(name)
		}
		return managed(ctx, strings.TrimPrefix(string(s), fromManager))
	}
}

func environment(name string) (string, error) {
	value, set := os.LookupEnv(name)
	if !set {
		return "", &slipway.Error{Next: slipway.NextPerson, Message: "the environment variable " + name + " is not set"}
	}
	return value, nil
}

// managed reads a secret of Secrets Manager, in the region of its ARN.
func managed(ctx context.Context, id string) (string, error) {
	parsed, err := arn.Parse(id)
	if err != nil {
		return "", err // Validate has seen to it
	}
	config, err := awsConfig(ctx, parsed.Region)
	if err != nil {
		return "", err
	}
	found, err := secretsmanager.NewFromConfig(config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	if err != nil {
		return "", &slipway.Error{
			Next: slipway.NextPerson, Message: "read secret " + id, Err: err,
			Hint: "the process needs secretsmanager:GetSecretValue on it, and kms:Decrypt where it has a key of its own",
		}
	}
	return password(aws.ToString(found.SecretString)), nil
}

// password is the one in a secret: its text, or the member of that name where it is a
// JSON object, as RDS and Secrets Manager keep those of databases:
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
func password(text string) string {
	var object struct{ Password *string }
	if json.Unmarshal([]byte(text), &object) == nil && object.Password != nil {
		return *object.Password
	}
	return text
}
