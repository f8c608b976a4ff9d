package sqs

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// number is an attribute that is a number, with SQS's own value and bounds.
type number struct{ value, least, most int }

// numbers are the attributes of a queue that are numbers.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var numbers = map[string]number{
	"DelaySeconds":                  {0, 0, 900},
	"MaximumMessageSize":            {1 << 20, 1024, 1 << 20},
	"MessageRetentionPeriod":        {345600, 60, 1209600},
	"ReceiveMessageWaitTimeSeconds": {0, 0, 20},
	"VisibilityTimeout":             {30, 0, 43200},
	"KmsDataKeyReusePeriodSeconds":  {300, 60, 86400},
}

// documents are the attributes that are JSON objects; empty removes one.
var documents = []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy"}

// redrivePolicy is the attribute RedrivePolicy.
type redrivePolicy struct {
	Target string      `json:"deadLetterTargetArn"`
	Most   json.Number `json:"maxReceiveCount"` // a number, or a number in quotes
}

// GetQueueAttributes answers with attributes, those that were not set included.
func (s *Service) GetQueueAttributes(_ context.Context, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	return change(s, func() (*sqs.GetQueueAttributesOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		s.expire(q)
		all := s.describe(q)
		out := &sqs.GetQueueAttributesOutput{Attributes: map[string]string{}}
		for _, name := range in.AttributeNames {
			if name == types.QueueAttributeNameAll {
				maps.Copy(out.Attributes, all)
				continue
			}
			if !slices.Contains(name.Values(), name) {
				return nil, fail("InvalidAttributeName", "Unknown Attribute %s.", name)
			}
			if value, ok := all[string(name)]; ok {
				out.Attributes[string(name)] = value
			}
		}
		return out, nil
	})
}

// SetQueueAttributes sets attributes; those that it does not name stay.
func (s *Service) SetQueueAttributes(_ context.Context, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	return change(s, func() (*sqs.SetQueueAttributesOutput, error) {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		if err := s.checkAttributes(in.Attributes); err != nil {
			return nil, err
		}
		q.set(in.Attributes)
		q.Modified = time.Now()
		s.news(q.Name)
		return &sqs.SetQueueAttributesOutput{}, nil
	})
}

func (q *queue) set(attributes map[string]string) {
	for name, value := range attributes {
		if value == "" {
			delete(q.Attributes, name)
			continue
		}
		q.Attributes[name] = value
	}
}

// attribute is an attribute's value, SQS's own if it was not set.
func (q *queue) attribute(name string) string {
	if value, ok := q.Attributes[name]; ok {
		return value
	}
	if n, ok := numbers[name]; ok {
		return strconv.Itoa(n.value)
	}
	if name == "SqsManagedSseEnabled" {
		return strconv.FormatBool(q.Attributes["KmsMasterKeyId"] == "")
	}
	return ""
}

// number is an attribute that is a number.
func (q *queue) number(name string) int {
	n, err := strconv.Atoi(q.attribute(name))
	if err != nil { // it was read when it was set
		return numbers[name].value
	}
	return n
}

// redrive says where messages go that were received so often.
func (q *queue) redrive() (arn string, most int, ok bool) {
	policy, err := readRedrive(q.Attributes["RedrivePolicy"])
	if err != nil {
		return "", 0, false
	}
	n, err := policy.Most.Int64()
	return policy.Target, int(n), err == nil
}

func readRedrive(text string) (redrivePolicy, error) {
	var policy redrivePolicy
	err := json.Unmarshal([]byte(text), &policy)
	return policy, err
}

// describe is all of a queue's attributes. The caller holds the lock.
func (s *Service) describe(q *queue) map[string]string {
	all := maps.Clone(q.Attributes)
	for _, name := range []string{"DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout", "SqsManagedSseEnabled"} {
		all[name] = q.attribute(name)
	}
	if all["KmsMasterKeyId"] != "" {
		all["KmsDataKeyReusePeriodSeconds"] = q.attribute("KmsDataKeyReusePeriodSeconds")
	}
	now := time.Now()
	visible, hidden, delayed := 0, 0, 0
	for _, m := range q.Messages {
		switch {
		case !m.Visible.After(now):
			visible++
		case m.Received == 0:
			delayed++
		default:
			hidden++
		}
	}
	all["QueueArn"] = s.arn(q.Name)
	all["CreatedTimestamp"], all["LastModifiedTimestamp"] = strconv.FormatInt(q.Created.Unix(), 10), strconv.FormatInt(q.Modified.Unix(), 10)
	all["ApproximateNumberOfMessages"], all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(visible), strconv.Itoa(hidden)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	return all
}

// checkAttributes says which attribute cannot be set so. The caller holds the lock.
func (s *Service) checkAttributes(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		bounds, numeric := numbers[name]
		switch {
		case numeric:
			n, err := strconv.Atoi(value)
			if err != nil || n < bounds.least || n > bounds.most {
				return fail("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
			}
		case slices.Contains(documents, name):
			if err := s.checkDocument(name, value); err != nil {
				return err
			}
		case name == "SqsManagedSseEnabled":
			if value != "true" && value != "false" {
				return fail("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
			}
		case name == "KmsMasterKeyId":
		case name == "FifoQueue" && value == "false":
		default:
			return fail("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return nil
}

// checkDocument says what is wrong with a policy. The caller holds the lock.
func (s *Service) checkDocument(name, value string) error {
	if value == "" {
		return nil
	}
	var members map[string]any
	if json.Unmarshal([]byte(value), &members) != nil {
		return fail("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
	}
	if name != "RedrivePolicy" {
		return nil
	}
	policy, err := readRedrive(value)
	if err != nil {
		return errValue(value, name, "Redrive policy is not a valid JSON map.")
	}
	if n, err := policy.Most.Int64(); err != nil || n < 1 || n > 1000 {
		return errValue(value, name, "Invalid value for maxReceiveCount: "+policy.Most.String()+", valid values are from 1 to 1000 both inclusive.")
	}
	if _, err := s.byARN(policy.Target); err != nil {
		return errValue(value, name, "Dead letter target does not exist.")
	}
	return nil
}
