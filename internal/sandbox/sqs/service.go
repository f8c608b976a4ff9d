package sqs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TargetPrefix is what the X-Amz-Target headers of SQS begin with.
const TargetPrefix = "AmazonSQS"

// Options are how an SQS is made. Region and Account are required.
type Options struct {
	Region, Account string
	TimeScale       float64 // divides all times; 0 means 1
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func() // called after each change, with no lock held
}

// Service is an SQS. Its operations are methods in the SDK's shape.
type Service struct {
	options Options
	scale   float64

	mu      sync.Mutex
	address string // base URL of what is served; AWS's own if empty
	state   state
	arrived map[string]chan struct{} // by queue: closed when there is news of its messages
}

// state is all that is kept.
type state struct {
	Queues  map[string]*queue    // by name
	Deleted map[string]time.Time // when queues were deleted, by name
}

// New makes an SQS. The error says that the state cannot be read.
func New(options Options) (*Service, error) {
	if options.Changed == nil {
		options.Changed = func() {}
	}
	s := &Service{
		options: options, scale: cmp.Or(options.TimeScale, 1), arrived: map[string]chan struct{}{},
		state: state{Queues: map[string]*queue{}, Deleted: map[string]time.Time{}},
	}
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.state); err != nil {
			return nil, fmt.Errorf("read SQS's state: %w", err)
		}
	}
	return s, nil
}

// Serve says at which base URL the handler is served, for the URLs of queues.
func (s *Service) Serve(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = address
}

// Snapshot is the whole state, for Options.State.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Handler serves the operations. SQS tells clients the code that an error had in
// its old protocol as well, and some go by that one.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#x-amzn-query-error
func (s *Service) Handler() http.Handler {
	operations := awsjson.Handler(TargetPrefix, s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := awsjson.NewAnswer()
		operations.ServeHTTP(answer, r)
		if code := answer.Header().Get("X-Amzn-ErrorType"); code != "" {
			if old, ok := queryCodes[code]; ok {
				code = "AWS.SimpleQueueService." + old
			}
			answer.Header().Set("X-Amzn-Query-Error", code+";Sender")
		}
		answer.Send(w)
	})
}

// queryCodes are the codes of the old protocol that are not those of the new one.
var queryCodes = map[string]string{
	"QueueDoesNotExist":            "NonExistentQueue",
	"QueueDeletedRecently":         "QueueDeletedRecently",
	"PurgeQueueInProgress":         "PurgeQueueInProgress",
	"UnsupportedOperation":         "UnsupportedOperation",
	"EmptyBatchRequest":            "EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": "TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     "BatchEntryIdsNotDistinct",
	"InvalidBatchEntryId":          "InvalidBatchEntryId",
	"MessageNotInflight":           "MessageNotInflight",
}

// fail is one of SQS's errors.
func fail(code, format string, args ...any) error {
	return &awsjson.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func errMissing(parameter string) error {
	return fail("MissingParameter", "The request must contain the parameter %s.", parameter)
}

func errValue(value any, parameter, reason string) error {
	return fail("InvalidParameterValue", "Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

// change calls f with the lock held, and says that the state changed.
func change[T any](s *Service, f func() (T, error)) (T, error) {
	s.mu.Lock()
	out, err := f()
	s.mu.Unlock()
	s.options.Changed()
	return out, err
}

// scaled is one of AWS's times on this machine, in seconds.
func (s *Service) scaled(seconds int) time.Duration {
	return time.Duration(float64(seconds) * float64(time.Second) / s.scale)
}

// find is the queue of a URL: of its last part, so that a URL from before the
// address changed is good. The caller holds the lock.
func (s *Service) find(url *string) (*queue, error) {
	if aws.ToString(url) == "" {
		return nil, errMissing("QueueUrl")
	}
	if q := s.state.Queues[(*url)[strings.LastIndex(*url, "/")+1:]]; q != nil {
		return q, nil
	}
	return nil, errNoQueue()
}

func errNoQueue() error {
	return fail("QueueDoesNotExist", "The specified queue does not exist.")
}

// byARN is the queue of an ARN. The caller holds the lock.
func (s *Service) byARN(arn string) (*queue, error) {
	if name, ok := strings.CutPrefix(arn, s.arn("")); ok && s.state.Queues[name] != nil {
		return s.state.Queues[name], nil
	}
	return nil, errNoQueue()
}

func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.options.Region + ":" + s.options.Account + ":" + name
}

// url is where a queue is. The caller holds the lock.
func (s *Service) url(name string) *string {
	address := cmp.Or(s.address, "https://sqs."+s.options.Region+".amazonaws.com")
	return aws.String(address + "/" + s.options.Account + "/" + name)
}

// news wakes those who wait for messages of a queue. The caller holds the lock.
func (s *Service) news(name string) {
	if waiting := s.arrived[name]; waiting != nil {
		close(waiting)
		delete(s.arrived, name)
	}
}
