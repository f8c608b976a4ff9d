package sqs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// quiet is how long SQS wants between the deletion of a queue and another of its
// name, and between two purges, in seconds.
const quiet = 60

// queue is a queue with its messages.
type queue struct {
	Name              string
	Attributes        map[string]string // those that were set
	Tags              map[string]string
	Created, Modified time.Time
	Purged            time.Time
	Messages          []*message // oldest first
}

// CreateQueue makes a queue. One that is there with the same attributes is
// answered as if it were new.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
func (s *Service) CreateQueue(_ context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	switch {
	case name == "":
		return nil, errMissing("QueueName")
	case strings.HasSuffix(name, ".fifo") || in.Attributes["FifoQueue"] == "true":
		return nil, fail("UnsupportedOperation", "The sandbox has no FIFO queues.")
	case len(name) > 80 || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		return nil, fail("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return change(s, func() (*sqs.CreateQueueOutput, error) {
		if err := s.checkAttributes(in.Attributes); err != nil {
			return nil, err
		}
		if q := s.state.Queues[name]; q != nil {
			for _, attribute := range slices.Sorted(maps.Keys(in.Attributes)) {
				if q.attribute(attribute) != in.Attributes[attribute] {
					return nil, fail("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", attribute)
				}
			}
			return &sqs.CreateQueueOutput{QueueUrl: s.url(name)}, nil
		}
		now := time.Now()
		if deleted, ok := s.state.Deleted[name]; ok {
			if now.Sub(deleted) < s.scaled(quiet) {
				return nil, fail("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
			}
			delete(s.state.Deleted, name)
		}
		q := &queue{Name: name, Attributes: map[string]string{}, Tags: map[string]string{}, Created: now, Modified: now}
		q.set(in.Attributes)
		maps.Copy(q.Tags, in.Tags)
		s.state.Queues[name] = q
		return &sqs.CreateQueueOutput{QueueUrl: s.url(name)}, nil
	})
}

// GetQueueUrl answers with the URL of a queue.
func (s *Service) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := aws.ToString(in.QueueName)
	if s.state.Queues[name] == nil {
		return nil, errNoQueue()
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: s.url(name)}, nil
}

// ListQueues answers with the URLs of the queues whose names begin with a prefix.
func (s *Service) ListQueues(_ context.Context, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var urls []string
	for _, name := range s.names() {
		if strings.HasPrefix(name, aws.ToString(in.QueueNamePrefix)) {
			urls = append(urls, *s.url(name))
		}
	}
	urls, next, err := page(urls, in.NextToken, in.MaxResults)
	return &sqs.ListQueuesOutput{QueueUrls: urls, NextToken: next}, err
}

// ListDeadLetterSourceQueues answers with the URLs of the queues whose dead
// letters go to a queue.
func (s *Service) ListDeadLetterSourceQueues(_ context.Context, in *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, name := range s.names() {
		if arn, _, ok := s.state.Queues[name].redrive(); ok && arn == s.arn(q.Name) {
			urls = append(urls, *s.url(name))
		}
	}
	urls, next, err := page(urls, in.NextToken, in.MaxResults)
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: urls, NextToken: next}, err
}

// DeleteQueue deletes a queue with its messages.
func (s *Service) DeleteQueue(_ context.Context, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	return change(s, func() (*sqs.DeleteQueueOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		delete(s.state.Queues, q.Name)
		s.state.Deleted[q.Name] = time.Now()
		s.news(q.Name)
		return &sqs.DeleteQueueOutput{}, nil
	})
}

// PurgeQueue deletes the messages of a queue.
func (s *Service) PurgeQueue(_ context.Context, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	return change(s, func() (*sqs.PurgeQueueOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if now.Sub(q.Purged) < s.scaled(quiet) {
			return nil, fail("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.Name)
		}
		q.Messages, q.Purged = nil, now
		return &sqs.PurgeQueueOutput{}, nil
	})
}

// TagQueue adds tags to a queue, or gives them other values.
func (s *Service) TagQueue(_ context.Context, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	return change(s, func() (*sqs.TagQueueOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		maps.Copy(q.Tags, in.Tags)
		return &sqs.TagQueueOutput{}, nil
	})
}

// UntagQueue removes tags of a queue.
func (s *Service) UntagQueue(_ context.Context, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	return change(s, func() (*sqs.UntagQueueOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		for _, key := range in.TagKeys {
			delete(q.Tags, key)
		}
		return &sqs.UntagQueueOutput{}, nil
	})
}

// ListQueueTags answers with the tags of a queue.
func (s *Service) ListQueueTags(_ context.Context, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &sqs.ListQueueTagsOutput{Tags: maps.Clone(q.Tags)}, nil
}

// names are the queues' names in order. The caller holds the lock.
func (s *Service) names() []string { return slices.Sorted(maps.Keys(s.state.Queues)) }

// page is the page that token names, at most a thousand URLs.
func page(urls []string, token *string, size *int32) ([]string, *string, error) {
	most := 1000
	if size != nil {
		most = int(*size)
	}
	found, next, err := awsjson.Page(urls, token, most)
	if err != nil {
		return nil, nil, fail("InvalidParameterValue", "Invalid or expired next token.")
	}
	return found, next, nil
}
