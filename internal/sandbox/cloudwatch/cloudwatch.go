// Package cloudwatch is as much of CloudWatch as a deployment needs that rolls
// back on alarms: metric alarms and their state.
//
//	PutMetricAlarm ─► alarm, INSUFFICIENT_DATA ◄── SetAlarmState ── a person, a test
//	                       │
//	                       ▼ State: OK, ALARM, INSUFFICIENT_DATA
//	                  control plane
//
// There are no metrics: nothing but SetAlarmState changes a state, and on AWS,
// too, a state that was set so lasts until the metric is looked at again.
//
// What it does not do: metrics, composite alarms, history, actions, tags.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
package cloudwatch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TargetPrefix is what the X-Amz-Target headers of CloudWatch begin with, and
// the service's name in its paths.
const TargetPrefix = "GraniteServiceVersion20100801"

// Options are how a CloudWatch is made. Region and Account are required.
type Options struct {
	Region, Account string
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func() // called after each change, with no lock held
}

// Service is a CloudWatch. Its operations are methods in the SDK's shape.
type Service struct {
	options Options

	mu     sync.Mutex
	alarms map[string]types.MetricAlarm // by name
}

// New makes a CloudWatch. The error says that the state cannot be read.
func New(options Options) (*Service, error) {
	s := &Service{options: options, alarms: map[string]types.MetricAlarm{}}
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.alarms); err != nil {
			return nil, fmt.Errorf("read CloudWatch's state: %w", err)
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
	return json.Marshal(s.alarms)
}

// State is the state of an alarm, OK, ALARM or INSUFFICIENT_DATA, and false if
// there is none of that name or ARN.
func (s *Service) State(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	alarm, found := s.alarms[strings.TrimPrefix(name, s.arn(""))]
	return string(alarm.StateValue), found
}

// PutMetricAlarm makes an alarm, or replaces one, which keeps its state.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (s *Service) PutMetricAlarm(_ context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	name := aws.ToString(in.AlarmName)
	switch {
	case name == "" || len(name) > 255:
		return nil, errCoded("ValidationError", "1 validation error detected: Value '%s' at 'alarmName' failed to satisfy constraint: Member must have length between 1 and 255", name)
	case in.ComparisonOperator == "" || in.EvaluationPeriods == nil:
		return nil, errCoded("MissingParameter", "The parameters ComparisonOperator and EvaluationPeriods are required.")
	}
	now := time.Now()
	s.mu.Lock()
	was, replaced := s.alarms[name]
	alarm := types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(s.arn(name)), AlarmDescription: in.AlarmDescription,
		ActionsEnabled: cmp.Or(in.ActionsEnabled, aws.Bool(true)), AlarmActions: orEmpty(in.AlarmActions), OKActions: orEmpty(in.OKActions),
		InsufficientDataActions: orEmpty(in.InsufficientDataActions), AlarmConfigurationUpdatedTimestamp: &now,
		ComparisonOperator: in.ComparisonOperator, DatapointsToAlarm: in.DatapointsToAlarm, Dimensions: append([]types.Dimension{}, in.Dimensions...),
		EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile, EvaluationPeriods: in.EvaluationPeriods,
		ExtendedStatistic: in.ExtendedStatistic, MetricName: in.MetricName, Metrics: in.Metrics, Namespace: in.Namespace, Period: in.Period,
		Statistic: in.Statistic, Threshold: in.Threshold, ThresholdMetricId: in.ThresholdMetricId, TreatMissingData: in.TreatMissingData, Unit: in.Unit,
	}
	if replaced {
		alarm.StateValue, alarm.StateReason, alarm.StateReasonData = was.StateValue, was.StateReason, was.StateReasonData
		alarm.StateUpdatedTimestamp, alarm.StateTransitionedTimestamp = was.StateUpdatedTimestamp, was.StateTransitionedTimestamp
	} else {
		alarm.StateValue, alarm.StateReason = types.StateValueInsufficientData, aws.String("Unchecked: Initial alarm creation")
		alarm.StateUpdatedTimestamp, alarm.StateTransitionedTimestamp = &now, &now
	}
	s.alarms[name] = alarm
	s.mu.Unlock()
	s.options.Changed()
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// DescribeAlarms answers with the alarms that are named, or whose names begin
// with a prefix, or all. One that does not exist is left out.
func (s *Service) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []types.MetricAlarm
	for _, name := range slices.Sorted(maps.Keys(s.alarms)) {
		alarm := s.alarms[name]
		if (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, name)) && strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) &&
			(in.StateValue == "" || in.StateValue == alarm.StateValue) &&
			(len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm)) {
			found = append(found, alarm)
		}
	}
	found, next, err := awsjson.Page(found, in.NextToken, int(cmp.Or(aws.ToInt32(in.MaxRecords), 50)))
	if err != nil {
		return nil, errCoded("InvalidNextToken", "%s", err)
	}
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: found, CompositeAlarms: []types.CompositeAlarm{}, NextToken: next}, nil
}

// SetAlarmState gives an alarm another state.
func (s *Service) SetAlarmState(_ context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	name := aws.ToString(in.AlarmName)
	if !slices.Contains(in.StateValue.Values(), in.StateValue) {
		return nil, errCoded("ValidationError", "1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]", in.StateValue)
	}
	s.mu.Lock()
	alarm, found := s.alarms[name]
	if found {
		now := time.Now()
		if alarm.StateValue != in.StateValue {
			alarm.StateTransitionedTimestamp = &now
		}
		alarm.StateValue, alarm.StateReason, alarm.StateReasonData, alarm.StateUpdatedTimestamp = in.StateValue, in.StateReason, in.StateReasonData, &now
		s.alarms[name] = alarm
	}
	s.mu.Unlock()
	if !found {
		return nil, &awsjson.Error{Code: "ResourceNotFound", Message: "Alarm " + name + " does not exist.", Status: http.StatusNotFound}
	}
	s.options.Changed()
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// DeleteAlarms deletes alarms: all of them, or none if one does not exist.
func (s *Service) DeleteAlarms(_ context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	s.mu.Lock()
	for _, name := range in.AlarmNames {
		if _, found := s.alarms[name]; !found {
			s.mu.Unlock()
			return nil, &awsjson.Error{Code: "ResourceNotFound", Message: "Alarm " + name + " does not exist.", Status: http.StatusNotFound}
		}
	}
	for _, name := range in.AlarmNames {
		delete(s.alarms, name)
	}
	s.mu.Unlock()
	s.options.Changed()
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// arn is an alarm's ARN.
func (s *Service) arn(name string) string {
	return "arn:aws:cloudwatch:" + s.options.Region + ":" + s.options.Account + ":alarm:" + name
}

func orEmpty(list []string) []string { return append([]string{}, list...) }

func errCoded(code, format string, args ...any) error {
	return &awsjson.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
