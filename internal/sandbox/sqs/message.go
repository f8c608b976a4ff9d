package sqs

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// message is a message of a queue.
type message struct {
	ID, Body      string
	Attributes    map[string]types.MessageAttributeValue
	Sent          time.Time
	Visible       time.Time // from then on it can be received
	Received      int       // times
	FirstReceived time.Time
	Source        string // the ARN of the queue that it was a dead letter of
}

// handle is the receipt handle of the newest time that the message was received.
func (m *message) handle() *string {
	return aws.String("AQEB" + hex.EncodeToString(fmt.Appendf(nil, "%s/%d", m.ID, m.Received)))
}

// readHandle says of which message a handle is, and of which time.
func readHandle(handle string) (id string, received int, ok bool) {
	text, err := hex.DecodeString(strings.TrimPrefix(handle, "AQEB"))
	if err != nil || !strings.HasPrefix(handle, "AQEB") {
		return "", 0, false
	}
	id, count, _ := strings.Cut(string(text), "/")
	received, err = strconv.Atoi(count)
	return id, received, err == nil
}

// describe is the message as it is received.
func (m *message) describe(account string, system []types.MessageSystemAttributeName, attributes []string) types.Message {
	d := types.Message{MessageId: aws.String(m.ID), Body: aws.String(m.Body), MD5OfBody: aws.String(sum([]byte(m.Body))), ReceiptHandle: m.handle()}
	known := map[types.MessageSystemAttributeName]string{
		types.MessageSystemAttributeNameSenderId:                         account,
		types.MessageSystemAttributeNameSentTimestamp:                    strconv.FormatInt(m.Sent.UnixMilli(), 10),
		types.MessageSystemAttributeNameApproximateReceiveCount:          strconv.Itoa(m.Received),
		types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp: strconv.FormatInt(m.FirstReceived.UnixMilli(), 10),
	}
	if m.Source != "" {
		known[types.MessageSystemAttributeNameDeadLetterQueueSourceArn] = m.Source
	}
	for name, value := range known {
		if slices.Contains(system, name) || slices.Contains(system, types.MessageSystemAttributeNameAll) {
			if d.Attributes == nil {
				d.Attributes = map[string]string{}
			}
			d.Attributes[string(name)] = value
		}
	}
	for name, value := range m.Attributes {
		if wanted(name, attributes) {
			if d.MessageAttributes == nil {
				d.MessageAttributes = map[string]types.MessageAttributeValue{}
			}
			d.MessageAttributes[name] = value
		}
	}
	d.MD5OfMessageAttributes = sumAttributes(d.MessageAttributes)
	return d
}

// wanted says whether a client asks for an attribute: by its name, by a prefix, or
// for all.
func wanted(name string, asked []string) bool {
	return slices.ContainsFunc(asked, func(a string) bool {
		prefix, isPrefix := strings.CutSuffix(a, ".*")
		return a == "All" || a == name || isPrefix && strings.HasPrefix(name, prefix)
	})
}

func sum(content []byte) string {
	digest := md5.Sum(content)
	return hex.EncodeToString(digest[:])
}

// sumAttributes is the digest of attributes, nil without any.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func sumAttributes(attributes map[string]types.MessageAttributeValue) *string {
	if len(attributes) == 0 {
		return nil
	}
	var b []byte
	add := func(part []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		add([]byte(name))
		add([]byte(aws.ToString(value.DataType)))
		if strings.HasPrefix(aws.ToString(value.DataType), "Binary") {
			b = append(b, 2)
			add(value.BinaryValue)
			continue
		}
		b = append(b, 1)
		add([]byte(aws.ToString(value.StringValue)))
	}
	return aws.String(sum(b))
}

// checkMessageAttributes says what is wrong with a message's attributes.
func checkMessageAttributes(attributes map[string]types.MessageAttributeValue) error {
	if len(attributes) > 10 {
		return fail("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for name, value := range attributes {
		kind, _, _ := strings.Cut(aws.ToString(value.DataType), ".")
		switch kind {
		case "String", "Number":
			if aws.ToString(value.StringValue) == "" {
				return fail("InvalidParameterValue", "Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
			}
		case "Binary":
			if len(value.BinaryValue) == 0 {
				return fail("InvalidParameterValue", "Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
			}
		default:
			return fail("InvalidParameterValue", "The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
		}
	}
	return nil
}

// newID is a random identifier in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
