package awsjson_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	sdkjson "github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TestNamesAgainstSDK holds the names of other services' members against the
// SDK's codec, both ways: EventBridge's begin with capitals, but for some.
func TestNamesAgainstSDK(t *testing.T) {
	eventBridge, cloudWatchLogs := sdkjson.New11(events.AWSEvents), sdkjson.New11(logs.Logs_20140328)
	putTargets := smithy.NewOperationSchema(events.PutTargets, events.PutTargetsRequest, events.PutTargetsResponse)
	for _, c := range []struct {
		protocol *sdkjson.Protocol
		in       smithy.Serializable
		out      smithy.Deserializable
	}{
		{eventBridge, &eventbridge.PutTargetsInput{}, &eventbridge.ListTargetsByRuleOutput{}},
		{eventBridge, &eventbridge.PutRuleInput{}, &eventbridge.ListRulesOutput{}},
		{eventBridge, &eventbridge.TagResourceInput{}, &eventbridge.PutTargetsOutput{}},
		{cloudWatchLogs, &cloudwatchlogs.FilterLogEventsInput{}, &cloudwatchlogs.FilterLogEventsOutput{}},
		{cloudWatchLogs, &cloudwatchlogs.DescribeLogStreamsInput{}, &cloudwatchlogs.DescribeLogStreamsOutput{}},
	} {
		t.Run(reflect.TypeOf(c.in).Elem().Name(), func(t *testing.T) {
			for seed := range uint64(20) {
				fill(rand.New(rand.NewPCG(seed, 0)), reflect.ValueOf(c.in).Elem(), 0)
				request := smithyhttp.NewStackRequest().(*smithyhttp.Request)
				if err := c.protocol.SerializeRequest(t.Context(), putTargets, c.in, request); err != nil {
					t.Fatal(err)
				}
				document, err := io.ReadAll(request.GetStream())
				if err != nil {
					t.Fatal(err)
				}
				read := reflect.New(reflect.TypeOf(c.in).Elem()).Interface()
				if err := awsjson.Unmarshal(document, read); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.in, read, exported); diff != "" {
					t.Fatalf("decoded (-sent +got):\n%s", diff)
				}

				fill(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(c.out).Elem(), 0)
				if document, err = awsjson.Marshal(c.out); err != nil {
					t.Fatal(err)
				}
				got := reflect.New(reflect.TypeOf(c.out).Elem()).Interface().(smithy.Deserializable)
				response := &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(document)))}}
				if err := c.protocol.DeserializeResponse(t.Context(), putTargets, nil, response, got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.out, got, exported); diff != "" {
					t.Fatalf("the SDK read (-sent +got):\n%s", diff)
				}
			}
		})
	}
}
