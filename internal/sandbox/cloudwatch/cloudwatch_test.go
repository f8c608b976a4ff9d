package cloudwatch_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

func put(t *testing.T, w *sandboxtest.World, name string) {
	t.Helper()
	_, err := w.CloudWatch().PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"),
		Statistic: types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(2.5),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		Dimensions:         []types.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String("app/web/1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func describe(t *testing.T, w *sandboxtest.World, in *cloudwatch.DescribeAlarmsInput) []types.MetricAlarm {
	t.Helper()
	out, err := w.CloudWatch().DescribeAlarms(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricAlarms
}

// TestAlarm: over the protocol of the SDK's choice, which is CBOR.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		began := time.Now()
		put(t, w, "errors")
		alarm := describe(t, w, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"errors", "x"}})[0]
		if alarm.StateValue != types.StateValueInsufficientData || *alarm.AlarmArn != "arn:aws:cloudwatch:ca-central-1:111122223333:alarm:errors" ||
			*alarm.Threshold != 2.5 || *alarm.Period != 60 || *alarm.Dimensions[0].Value != "app/web/1" || !*alarm.ActionsEnabled || !alarm.StateUpdatedTimestamp.Equal(began) {
			t.Errorf("%+v", alarm)
		}
		timer := time.NewTimer(time.Minute)
		<-timer.C
		if _, err := w.CloudWatch().SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("errors"), StateValue: types.StateValueAlarm, StateReason: aws.String("too many"),
		}); err != nil {
			t.Fatal(err)
		}
		w.Restart()
		put(t, w, "errors") // keeps its state
		alarm = describe(t, w, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"errors"}})[0]
		if alarm.StateValue != types.StateValueAlarm || *alarm.StateReason != "too many" || !alarm.StateTransitionedTimestamp.Equal(began.Add(time.Minute)) {
			t.Errorf("%+v", alarm)
		}
		for name, want := range map[string]string{"errors": "ALARM", *alarm.AlarmArn: "ALARM", "x": ""} {
			if state, found := w.Around().CloudWatch.State(name); state != want || found != (want != "") {
				t.Errorf("%s: state %q, %v", name, state, found)
			}
		}
	})
}

func TestAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		for _, name := range []string{"web-1", "web-2", "web-3", "other"} {
			put(t, w, name)
		}
		var names []string
		in := &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("web-"), MaxRecords: aws.Int32(2)}
		pages := cloudwatch.NewDescribeAlarmsPaginator(w.CloudWatch(), in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, alarm := range page.MetricAlarms {
				names = append(names, *alarm.AlarmName)
			}
		}
		if want := []string{"web-1", "web-2", "web-3"}; !slices.Equal(names, want) {
			t.Errorf("alarms %v, want %v", names, want)
		}
		if got := describe(t, w, &cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm}); len(got) != 0 {
			t.Errorf("in ALARM: %+v", got)
		}
		if _, err := w.CloudWatch().DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"web-1", "web-2"}}); err != nil {
			t.Fatal(err)
		}
		if got := describe(t, w, &cloudwatch.DescribeAlarmsInput{}); len(got) != 2 {
			t.Errorf("%d alarms are left", len(got))
		}
	})
}

func TestErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		_, missing := w.CloudWatch().SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("x"), StateValue: types.StateValueOk, StateReason: aws.String("r")})
		_, notThere := w.CloudWatch().DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"x"}})
		_, bad := w.CloudWatch().PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String(""), ComparisonOperator: "x", EvaluationPeriods: aws.Int32(1)})
		_, unknown := w.CloudWatch().ListDashboards(t.Context(), &cloudwatch.ListDashboardsInput{})
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"missing":    {missing, "ResourceNotFound"},
			"not there":  {notThere, "ResourceNotFound"},
			"no name":    {bad, "ValidationError"},
			"not served": {unknown, "UnknownOperationException"},
			"throttled":  {throttled(t, w), "ThrottlingException"},
		} {
			api, ok := errors.AsType[smithy.APIError](c.err)
			if !ok || api.ErrorCode() != c.code || api.ErrorMessage() == "" {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
	})
}

// throttled is the error of a client that a fault strikes.
func throttled(t *testing.T, w *sandboxtest.World) error {
	w.Fault(func(string) *awsjson.Fault { return awsjson.Throttled() })
	defer w.Fault(nil)
	_, err := w.CloudWatch().DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	return err
}
