package target

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// newest is how many of a family's newest task definitions are looked through
// for one that an earlier attempt registered.
const newest = 10

// read is a task definition as ECS described it: what it would be registered
// from, and what only a response has.
type read struct {
	definition
	arn          string
	family       string
	active       bool
	registeredAt time.Time
	registeredBy string // the ARN of a principal, as far as AWS says
}

// describe reads a task definition, in whatever state it is, with its tags.
func (c *client) describe(ctx context.Context, arn string) (read, error) {
	doing := "cannot read the task definition " + lastPart(arn)
	var body []byte
	out, err := c.api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(arn), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	}, captureBody(&body))
	if err != nil {
		return read{}, c.explain(ctx, err, doing)
	}
	parsed, err := parseDefinition(body)
	if err != nil {
		return read{}, fmt.Errorf("%s: %w", doing, err)
	}
	return read{
		definition:   parsed,
		arn:          aws.ToString(out.TaskDefinition.TaskDefinitionArn),
		family:       aws.ToString(out.TaskDefinition.Family),
		active:       out.TaskDefinition.Status == types.TaskDefinitionStatusActive,
		registeredAt: aws.ToTime(out.TaskDefinition.RegisteredAt),
		registeredBy: aws.ToString(out.TaskDefinition.RegisteredBy),
	}, nil
}

// register registers a definition and returns its ARN and when the call went
// out.
func (c *client) register(ctx context.Context, d definition) (arn string, sentAt time.Time, err error) {
	family := text(d.fields["family"])
	doing := "cannot register a task definition of family " + family
	body, err := d.input()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%s: %w", doing, err)
	}
	// The typed input only passes the SDK's own validation; body is what is sent.
	input := &ecs.RegisterTaskDefinitionInput{Family: aws.String(family), ContainerDefinitions: []types.ContainerDefinition{}}
	out, err := c.api.RegisterTaskDefinition(ctx, input, replaceBody(body), c.budget.once(&sentAt))
	if err != nil {
		return "", time.Time{}, c.explain(ctx, err, doing)
	}
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn), sentAt, nil
}

// registered looks among a family's newest task definitions for the one that an
// execution registered with this content. It returns the zero read when there is
// none.
func (c *client) registered(ctx context.Context, execution string, wanted definition) (read, error) {
	family := text(wanted.fields["family"])
	out, err := c.api.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
		FamilyPrefix: aws.String(family), Status: types.TaskDefinitionStatusActive,
		Sort: types.SortOrderDesc, MaxResults: aws.Int32(newest),
	})
	if err != nil {
		return read{}, c.explain(ctx, err, "cannot list the task definitions of family "+family)
	}
	for _, arn := range out.TaskDefinitionArns {
		found, err := c.describe(ctx, arn)
		if err != nil {
			return read{}, err
		}
		if found.taggedFor(execution) && same(found.definition, wanted) {
			return found, nil
		}
	}
	return read{}, nil
}

// reusable returns the first of some task definitions that is ACTIVE and equals
// what would be registered, or the empty string. One that is gone is passed by.
func (c *client) reusable(ctx context.Context, arns []string, wanted definition) (string, error) {
	for _, arn := range arns {
		found, err := c.describe(ctx, arn)
		if slipway.NextOf(err) == slipway.NextRetry || ctx.Err() != nil {
			return "", err
		}
		if err == nil && found.active && same(found.definition, wanted) {
			return found.arn, nil
		}
	}
	return "", nil
}

// cache remembers, by ARN, what never changes.
type cache[T any] struct {
	mu    sync.Mutex
	known map[string]T
}

// cached bounds a cache; beyond it, it starts anew.
const cached = 20_000

func (c *cache[T]) get(arn string) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, found := c.known[arn]
	return value, found
}

func (c *cache[T]) put(arn string, value T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= cached {
		c.known = map[string]T{}
	}
	c.known[arn] = value
}
