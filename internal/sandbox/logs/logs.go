// Package logs is as much of CloudWatch Logs as it takes to read what containers
// printed through the awslogs driver.
//
//	container ─► Put(group, stream, line) ─► group ─► stream ─► events, oldest first
//
// Groups and streams come into being with their first line: AWS wants the group
// to exist, unless the driver is told to create it. A stream keeps its newest
// lines, and a group its newest streams.
//
// What it does not do: PutLogEvents, Insights, subscriptions, retention, metric
// filters, tags; a filter pattern is terms, not JSON or columns.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
package logs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TargetPrefix is what the X-Amz-Target headers of CloudWatch Logs begin with.
const TargetPrefix = "Logs_20140328"

// What is kept; ours.
const (
	linesMost   = 1000 // of a stream
	streamsMost = 500  // of a group
)

// Options are how a CloudWatch Logs is made. Region and Account are required.
type Options struct {
	Region, Account string
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func() // called after each change, with no lock held
}

// Service is a CloudWatch Logs. Its operations are methods in the SDK's shape.
type Service struct {
	options Options

	mu     sync.Mutex
	groups map[string]*group // by name
}

// group is a log group.
type group struct {
	CreatedAt int64              // epoch milliseconds, like all times of Logs
	Streams   map[string]*stream // by name
}

// stream is a log stream.
type stream struct {
	CreatedAt int64
	Events    []event // oldest first
	Dropped   int     // lines before those in Events
}

// event is a line.
type event struct {
	At      int64  `json:"at"`
	Message string `json:"message"`
}

// New makes a CloudWatch Logs. The error says that the state cannot be read.
func New(options Options) (*Service, error) {
	s := &Service{options: options, groups: map[string]*group{}}
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.groups); err != nil {
			return nil, fmt.Errorf("read CloudWatch Logs' state: %w", err)
		}
	}
	return s, nil
}

// Handler serves the operations.
func (s *Service) Handler() http.Handler { return awsjson.Handler(TargetPrefix, s) }

// Snapshot is the whole state, for Options.State.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.groups)
}

// Put keeps a line that was printed now. It does not wait for anything.
func (s *Service) Put(groupName, streamName, message string) {
	now := time.Now().UnixMilli()
	s.mu.Lock()
	g := s.groups[groupName]
	if g == nil {
		g = &group{CreatedAt: now, Streams: map[string]*stream{}}
		s.groups[groupName] = g
	}
	st := g.Streams[streamName]
	if st == nil {
		st = &stream{CreatedAt: now}
		g.Streams[streamName] = st
		g.prune()
	}
	st.Events = append(st.Events, event{At: now, Message: message})
	if over := len(st.Events) - linesMost; over > 0 {
		st.Events = slices.Clone(st.Events[over:])
		st.Dropped += over
	}
	s.mu.Unlock()
	s.options.Changed()
}

// prune drops the stream with the oldest last line when there are too many.
func (g *group) prune() {
	if len(g.Streams) <= streamsMost {
		return
	}
	oldest := ""
	for name, st := range g.Streams {
		if oldest == "" || st.last() < g.Streams[oldest].last() {
			oldest = name
		}
	}
	delete(g.Streams, oldest)
}

// last is when the newest line was printed, or the stream made.
func (st *stream) last() int64 {
	if n := len(st.Events); n > 0 {
		return st.Events[n-1].At
	}
	return st.CreatedAt
}

// group finds a group by its name or ARN. The caller holds the lock.
func (s *Service) group(name, identifier *string) (string, *group, error) {
	found := cmp.Or(aws.ToString(name), strings.TrimSuffix(strings.TrimPrefix(aws.ToString(identifier), s.arn("")), ":*"))
	if g := s.groups[found]; g != nil {
		return found, g, nil
	}
	return "", nil, errCoded("ResourceNotFoundException", "The specified log group does not exist.")
}

// arn is a group's ARN.
func (s *Service) arn(group string) string {
	return "arn:aws:logs:" + s.options.Region + ":" + s.options.Account + ":log-group:" + group
}

func errCoded(code, message string) error {
	return &awsjson.Error{Code: code, Message: message}
}

func errParameter(format string, args ...any) error {
	return &awsjson.Error{Code: "InvalidParameterException", Message: fmt.Sprintf(format, args...)}
}
