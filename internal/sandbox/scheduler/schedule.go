package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
)

// settings are what a client says of a schedule: the input of CreateSchedule and
// UpdateSchedule, with the target as it came.
type settings struct {
	ActionAfterCompletion      types.ActionAfterCompletion
	Description                *string
	EndDate, StartDate         *time.Time
	FlexibleTimeWindow         *types.FlexibleTimeWindow
	GroupName, Name            *string
	KmsKeyArn                  *string
	ScheduleExpression         *string
	ScheduleExpressionTimezone *string
	State                      types.ScheduleState
	Target                     json.RawMessage
}

// getScheduleOutput is GetSchedule's output.
type getScheduleOutput struct {
	Arn                                *string
	CreationDate, LastModificationDate *time.Time
	ActionAfterCompletion              types.ActionAfterCompletion
	Description                        *string
	EndDate, StartDate                 *time.Time
	FlexibleTimeWindow                 *types.FlexibleTimeWindow
	GroupName, Name                    *string
	KmsKeyArn                          *string
	ScheduleExpression                 *string
	ScheduleExpressionTimezone         *string
	State                              types.ScheduleState
	Target                             json.RawMessage
}

// CreateSchedule makes a schedule. A rate without StartDate is due at once, and
// then each time that its period has passed.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func (s *Service) CreateSchedule(_ context.Context, document json.RawMessage) (*scheduler.CreateScheduleOutput, error) {
	return change(s, func() (*scheduler.CreateScheduleOutput, error) {
		in, err := s.read(document)
		if err != nil {
			return nil, err
		}
		key := key(in.GroupName, in.Name)
		if s.state.Schedules[key] != nil {
			return nil, errConflict("Schedule %s already exists.", *in.Name)
		}
		now := time.Now()
		e := &entry{settings: in, Arn: aws.String(s.arn("schedule/" + key)), CreationDate: &now, LastModificationDate: &now}
		s.state.Schedules[key] = e
		anchor := s.options.Clock.Now()
		if due, _ := e.due(); due.Every > 0 { // it was read before
			anchor = anchor.Add(moment)
		}
		s.arm(e, anchor)
		return &scheduler.CreateScheduleOutput{ScheduleArn: e.Arn}, nil
	})
}

// moment is how long a new rate takes to be due: ours, AWS says at once.
const moment = time.Second

// UpdateSchedule replaces a schedule as a whole. Its rate goes on unless its
// expression, state or dates are others.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
func (s *Service) UpdateSchedule(_ context.Context, document json.RawMessage) (*scheduler.UpdateScheduleOutput, error) {
	return change(s, func() (*scheduler.UpdateScheduleOutput, error) {
		in, err := s.read(document)
		if err != nil {
			return nil, err
		}
		e := s.state.Schedules[key(in.GroupName, in.Name)]
		if e == nil {
			return nil, errNotFound("Schedule %s does not exist.", *in.Name)
		}
		was := e.settings
		e.settings, e.LastModificationDate = in, aws.Time(time.Now())
		if *was.ScheduleExpression != *in.ScheduleExpression || *was.ScheduleExpressionTimezone != *in.ScheduleExpressionTimezone || was.State != in.State ||
			!sameTime(was.StartDate, in.StartDate) || !sameTime(was.EndDate, in.EndDate) {
			s.arm(e, s.options.Clock.Now())
		}
		return &scheduler.UpdateScheduleOutput{ScheduleArn: e.Arn}, nil
	})
}

func sameTime(a, b *time.Time) bool {
	return aws.ToTime(a).Equal(aws.ToTime(b))
}

// read reads and checks a schedule, and fills in the defaults.
func (s *Service) read(document json.RawMessage) (settings, error) {
	var in settings
	if err := awsjson.Unmarshal(document, &in); err != nil {
		return in, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	in.GroupName = aws.String(orDefault(in.GroupName))
	in.ScheduleExpressionTimezone = aws.String(cmp.Or(aws.ToString(in.ScheduleExpressionTimezone), "UTC"))
	in.State = cmp.Or(in.State, types.ScheduleStateEnabled)
	in.ActionAfterCompletion = cmp.Or(in.ActionAfterCompletion, types.ActionAfterCompletionNone)
	switch {
	case s.state.Groups[*in.GroupName] == nil:
		return in, errNotFound("Schedule group %s does not exist.", *in.GroupName)
	case aws.ToString(in.ScheduleExpression) == "":
		return in, errMissing("scheduleExpression")
	case in.FlexibleTimeWindow == nil:
		return in, errMissing("flexibleTimeWindow")
	case in.FlexibleTimeWindow.Mode != types.FlexibleTimeWindowModeOff && in.FlexibleTimeWindow.Mode != types.FlexibleTimeWindowModeFlexible:
		return in, errMissing("flexibleTimeWindow.mode")
	}
	if _, err := time.LoadLocation(*in.ScheduleExpressionTimezone); err != nil {
		return in, errValidation("Invalid Schedule Expression Timezone %s.", *in.ScheduleExpressionTimezone)
	}
	if _, err := in.due(); err != nil {
		return in, errValidation("Invalid Schedule Expression %s.", *in.ScheduleExpression)
	}
	target, err := completeTarget(in.Target)
	in.Target = target
	return in, err
}

func errMissing(member string) error {
	return errValidation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

// completeTarget checks a target and adds AWS's defaults to its document.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html
func completeTarget(document json.RawMessage) (json.RawMessage, error) {
	var target types.Target
	if document == nil {
		return nil, errMissing("target")
	}
	if err := awsjson.Unmarshal(document, &target); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	switch {
	case aws.ToString(target.Arn) == "":
		return nil, errMissing("target.arn")
	case aws.ToString(target.RoleArn) == "":
		return nil, errMissing("target.roleArn")
	case !strings.HasPrefix(*target.Arn, "arn:"):
		return nil, errValidation("Provided Arn is not in correct format.")
	case target.EcsParameters != nil && aws.ToString(target.EcsParameters.TaskDefinitionArn) == "":
		return nil, errMissing("target.ecsParameters.taskDefinitionArn")
	}
	members := map[string]any{}
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	retry, _ := members["RetryPolicy"].(map[string]any)
	members["RetryPolicy"] = withDefaults(retry, map[string]any{"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185})
	if p, ok := members["EcsParameters"].(map[string]any); ok {
		members["EcsParameters"] = withDefaults(p, map[string]any{"TaskCount": 1})
	}
	return json.Marshal(members)
}

func withDefaults(members, defaults map[string]any) map[string]any {
	if members == nil {
		return defaults
	}
	for name, value := range defaults {
		if members[name] == nil {
			members[name] = value
		}
	}
	return members
}

// due is when the schedule is due.
func (in settings) due() (schedule.Schedule, error) {
	zone, err := time.LoadLocation(*in.ScheduleExpressionTimezone)
	if err != nil {
		return schedule.Schedule{}, err
	}
	return schedule.Parse(*in.ScheduleExpression, zone)
}

// GetSchedule answers with a schedule, its target as it was put.
func (s *Service) GetSchedule(_ context.Context, in *scheduler.GetScheduleInput) (*getScheduleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.state.Schedules[key(in.GroupName, in.Name)]
	if e == nil {
		return nil, errNotFound("Schedule %s does not exist.", aws.ToString(in.Name))
	}
	return &getScheduleOutput{
		Arn: e.Arn, CreationDate: e.CreationDate, LastModificationDate: e.LastModificationDate,
		ActionAfterCompletion: e.ActionAfterCompletion, Description: e.Description, EndDate: e.EndDate, StartDate: e.StartDate,
		FlexibleTimeWindow: e.FlexibleTimeWindow, GroupName: e.GroupName, Name: e.Name, KmsKeyArn: e.KmsKeyArn,
		ScheduleExpression: e.ScheduleExpression, ScheduleExpressionTimezone: e.ScheduleExpressionTimezone, State: e.State, Target: e.Target,
	}, nil
}

// DeleteSchedule deletes a schedule.
func (s *Service) DeleteSchedule(_ context.Context, in *scheduler.DeleteScheduleInput) (*scheduler.DeleteScheduleOutput, error) {
	return change(s, func() (*scheduler.DeleteScheduleOutput, error) {
		key := key(in.GroupName, in.Name)
		if s.state.Schedules[key] == nil {
			return nil, errNotFound("Schedule %s does not exist.", aws.ToString(in.Name))
		}
		delete(s.state.Schedules, key)
		s.timetable.Remove(key)
		return &scheduler.DeleteScheduleOutput{}, nil
	})
}

// ListSchedules answers with the schedules of a group, or of all, without all of
// their targets.
func (s *Service) ListSchedules(_ context.Context, in *scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.GroupName != nil && s.state.Groups[*in.GroupName] == nil {
		return nil, errNotFound("Schedule group %s does not exist.", *in.GroupName)
	}
	var found []types.ScheduleSummary
	for _, e := range s.state.Schedules {
		if in.GroupName != nil && *in.GroupName != *e.GroupName || in.State != "" && in.State != e.State || !strings.HasPrefix(*e.Name, aws.ToString(in.NamePrefix)) {
			continue
		}
		var target types.TargetSummary
		if err := awsjson.Unmarshal(e.Target, &target); err != nil {
			return nil, err
		}
		found = append(found, types.ScheduleSummary{
			Arn: e.Arn, CreationDate: e.CreationDate, LastModificationDate: e.LastModificationDate,
			GroupName: e.GroupName, Name: e.Name, State: e.State, Target: &target,
		})
	}
	slices.SortFunc(found, func(a, b types.ScheduleSummary) int { return strings.Compare(*a.Arn, *b.Arn) })
	found, next, err := page(found, in.NextToken, in.MaxResults)
	return &scheduler.ListSchedulesOutput{Schedules: found, NextToken: next}, err
}
