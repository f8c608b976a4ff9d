package sqs

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SendInput is SendMessage's input, with what is left out told from zero.
type SendInput struct {
	QueueUrl, MessageBody *string
	DelaySeconds          *int32
	MessageAttributes     map[string]types.MessageAttributeValue
}

// SendBatchInput is SendMessageBatch's input, with what is left out told from zero.
type SendBatchInput struct {
	QueueUrl *string
	Entries  []SendEntry
}

// SendEntry is one message of a batch.
type SendEntry struct {
	Id, MessageBody   *string
	DelaySeconds      *int32
	MessageAttributes map[string]types.MessageAttributeValue
}

// SendMessage puts a message into a queue.
func (s *Service) SendMessage(_ context.Context, in *SendInput) (*sqs.SendMessageOutput, error) {
	return change(s, func() (*sqs.SendMessageOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		m, err := s.send(q, aws.ToString(in.MessageBody), in.DelaySeconds, in.MessageAttributes)
		if err != nil {
			return nil, err
		}
		return &sqs.SendMessageOutput{MessageId: aws.String(m.ID), MD5OfMessageBody: aws.String(sum([]byte(m.Body))), MD5OfMessageAttributes: sumAttributes(m.Attributes)}, nil
	})
}

// SendMessageBatch puts up to ten messages into a queue. One that is not valid
// does not hinder the others.
func (s *Service) SendMessageBatch(_ context.Context, in *SendBatchInput) (*sqs.SendMessageBatchOutput, error) {
	return change(s, func() (*sqs.SendMessageBatchOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, entry := range in.Entries {
			ids = append(ids, aws.ToString(entry.Id))
		}
		if err := checkBatch(ids); err != nil {
			return nil, err
		}
		out := &sqs.SendMessageBatchOutput{Successful: []types.SendMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
		for _, entry := range in.Entries {
			m, err := s.send(q, aws.ToString(entry.MessageBody), entry.DelaySeconds, entry.MessageAttributes)
			if err != nil {
				out.Failed = append(out.Failed, failed(entry.Id, err))
				continue
			}
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
				Id: entry.Id, MessageId: aws.String(m.ID), MD5OfMessageBody: aws.String(sum([]byte(m.Body))), MD5OfMessageAttributes: sumAttributes(m.Attributes),
			})
		}
		return out, nil
	})
}

// Deliver sends a message as another service of the account does, with attributes
// of the type String. There are no queues with groups.
func (s *Service) Deliver(queueARN, body, _ string, attributes map[string]string) error {
	_, err := change(s, func() (*message, error) {
		q, err := s.byARN(queueARN)
		if err != nil {
			return nil, err
		}
		values := map[string]types.MessageAttributeValue{}
		for name, value := range attributes {
			values[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
		return s.send(q, body, nil, values)
	})
	return err
}

// send puts a message into a queue. The caller holds the lock.
func (s *Service) send(q *queue, body string, delay *int32, attributes map[string]types.MessageAttributeValue) (*message, error) {
	seconds := q.number("DelaySeconds")
	if delay != nil {
		seconds = int(*delay)
	}
	most := q.number("MaximumMessageSize")
	switch {
	case body == "":
		return nil, errMissing("MessageBody")
	case len(body) > most:
		return nil, fail("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)
	case seconds < 0 || seconds > numbers["DelaySeconds"].most:
		return nil, errValue(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	}
	if err := checkMessageAttributes(attributes); err != nil {
		return nil, err
	}
	now := time.Now()
	m := &message{ID: newID(), Body: body, Attributes: attributes, Sent: now, Visible: now.Add(s.scaled(seconds))}
	q.Messages = append(q.Messages, m)
	s.news(q.Name)
	return m, nil
}

// checkBatch says what is wrong with a batch's entries.
func checkBatch(ids []string) error {
	switch {
	case len(ids) == 0:
		return fail("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(ids) > 10:
		return fail("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(ids))
	}
	for i, id := range ids {
		if id == "" || len(id) > 80 {
			return fail("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if slices.Contains(ids[:i], id) {
			return fail("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
	}
	return nil
}
