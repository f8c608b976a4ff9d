package sqs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// ReceiveInput is ReceiveMessage's input, with what is left out told from zero.
type ReceiveInput struct {
	QueueUrl                                                *string
	MaxNumberOfMessages, VisibilityTimeout, WaitTimeSeconds *int32
	AttributeNames, MessageSystemAttributeNames             []types.MessageSystemAttributeName
	MessageAttributeNames                                   []string
}

// ReceiveMessage answers with messages, and hides them for the visibility timeout.
// If there are none it waits for one, as long as it is asked to.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (s *Service) ReceiveMessage(ctx context.Context, in *ReceiveInput) (*sqs.ReceiveMessageOutput, error) {
	most := int(cmp.Or(aws.ToInt32(in.MaxNumberOfMessages), 1))
	if most < 1 || most > 10 {
		return nil, errValue(most, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	}
	s.mu.Lock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	wait := q.number("ReceiveMessageWaitTimeSeconds")
	s.mu.Unlock()
	if in.WaitTimeSeconds != nil {
		if wait = int(*in.WaitTimeSeconds); wait < 0 || wait > 20 {
			return nil, errValue(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
		}
	}
	if v := aws.ToInt32(in.VisibilityTimeout); v < 0 || int(v) > numbers["VisibilityTimeout"].most {
		return nil, errValue(v, "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	}
	for deadline := time.Now().Add(s.scaled(wait)); ; {
		found, next, arrived, err := s.take(in, most)
		if err != nil || len(found) > 0 || !time.Now().Before(deadline) {
			return &sqs.ReceiveMessageOutput{Messages: found}, err
		}
		if next.IsZero() || next.After(deadline) {
			next = deadline
		}
		if !await(ctx, arrived, time.Until(next)) {
			return nil, ctx.Err()
		}
	}
}

// await waits for news or for some time, and says whether the client is still
// there.
func await(ctx context.Context, news <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// take receives what can be received now. If there is nothing, next is when there
// will be, unless arrived is closed before.
func (s *Service) take(in *ReceiveInput, most int) (found []types.Message, next time.Time, arrived <-chan struct{}, err error) {
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		if len(found) > 0 {
			s.options.Changed()
		}
	}()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, next, nil, err
	}
	hide := q.number("VisibilityTimeout")
	if in.VisibilityTimeout != nil {
		hide = int(*in.VisibilityTimeout)
	}
	s.expire(q)
	s.redrive(q)
	now := time.Now()
	for _, m := range q.Messages {
		if m.Visible.After(now) {
			if next.IsZero() || m.Visible.Before(next) {
				next = m.Visible
			}
			continue
		}
		if len(found) == most {
			break
		}
		m.Received++
		if m.Received == 1 {
			m.FirstReceived = now
		}
		m.Visible = now.Add(s.scaled(hide))
		found = append(found, m.describe(s.options.Account, slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames), in.MessageAttributeNames))
	}
	if s.arrived[q.Name] == nil {
		s.arrived[q.Name] = make(chan struct{})
	}
	return found, next, s.arrived[q.Name], nil
}

// redrive moves the messages that could be received once more than they may to the
// dead letter queue. The caller holds the lock.
func (s *Service) redrive(q *queue) {
	arn, most, ok := q.redrive()
	if !ok {
		return
	}
	dead, err := s.byARN(arn)
	if err != nil {
		return // it was deleted: the messages stay
	}
	now := time.Now()
	q.Messages = slices.DeleteFunc(q.Messages, func(m *message) bool {
		if m.Received < most || m.Visible.After(now) {
			return false
		}
		m.Source, m.Visible, m.Received = s.arn(q.Name), now, 0
		dead.Messages = append(dead.Messages, m)
		s.news(dead.Name)
		return true
	})
}

// expire forgets messages that are older than the queue keeps them. The caller
// holds the lock.
func (s *Service) expire(q *queue) {
	oldest := time.Now().Add(-s.scaled(q.number("MessageRetentionPeriod")))
	q.Messages = slices.DeleteFunc(q.Messages, func(m *message) bool { return m.Sent.Before(oldest) })
}

// DeleteMessage deletes a message that was received. An older handle of a message
// that was received again is no error, and deletes nothing.
func (s *Service) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	return change(s, func() (*sqs.DeleteMessageOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		return &sqs.DeleteMessageOutput{}, q.delete(aws.ToString(in.ReceiptHandle))
	})
}

// DeleteMessageBatch deletes up to ten messages.
func (s *Service) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	return change(s, func() (*sqs.DeleteMessageBatchOutput, error) {
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
		out := &sqs.DeleteMessageBatchOutput{Successful: []types.DeleteMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
		for _, entry := range in.Entries {
			if err := q.delete(aws.ToString(entry.ReceiptHandle)); err != nil {
				out.Failed = append(out.Failed, failed(entry.Id, err))
				continue
			}
			out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: entry.Id})
		}
		return out, nil
	})
}

func (q *queue) delete(handle string) error {
	id, received, ok := readHandle(handle)
	if !ok {
		return errHandle(handle)
	}
	q.Messages = slices.DeleteFunc(q.Messages, func(m *message) bool { return m.ID == id && m.Received == received })
	return nil
}

func errHandle(handle string) error {
	return fail("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
}

// ChangeMessageVisibility hides a message that was received until so many seconds
// from now; 0 shows it at once.
func (s *Service) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	return change(s, func() (*sqs.ChangeMessageVisibilityOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		return &sqs.ChangeMessageVisibilityOutput{}, s.hide(q, aws.ToString(in.ReceiptHandle), int(in.VisibilityTimeout))
	})
}

// ChangeMessageVisibilityBatch is ChangeMessageVisibility for up to ten messages.
func (s *Service) ChangeMessageVisibilityBatch(_ context.Context, in *sqs.ChangeMessageVisibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	return change(s, func() (*sqs.ChangeMessageVisibilityBatchOutput, error) {
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
		out := &sqs.ChangeMessageVisibilityBatchOutput{Successful: []types.ChangeMessageVisibilityBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
		for _, entry := range in.Entries {
			if err := s.hide(q, aws.ToString(entry.ReceiptHandle), int(entry.VisibilityTimeout)); err != nil {
				out.Failed = append(out.Failed, failed(entry.Id, err))
				continue
			}
			out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: entry.Id})
		}
		return out, nil
	})
}

// hide hides a message for so many seconds. The caller holds the lock.
func (s *Service) hide(q *queue, handle string, seconds int) error {
	if seconds < 0 || seconds > numbers["VisibilityTimeout"].most {
		return errValue(seconds, "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200.")
	}
	id, received, ok := readHandle(handle)
	if !ok {
		return errHandle(handle)
	}
	now := time.Now()
	for _, m := range q.Messages {
		if m.ID == id && m.Received == received && m.Visible.After(now) {
			m.Visible = now.Add(s.scaled(seconds))
			s.news(q.Name)
			return nil
		}
	}
	return fail("MessageNotInflight", "The specified message isn't in flight.")
}

// failed is the entry of a batch's answer for what went wrong with one.
func failed(id *string, err error) types.BatchResultErrorEntry {
	entry := types.BatchResultErrorEntry{Id: id, SenderFault: true, Code: aws.String("InternalError"), Message: aws.String(err.Error())}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		entry.Code, entry.Message = aws.String(api.ErrorCode()), aws.String(api.ErrorMessage())
	}
	return entry
}
