package trail_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

const role = "arn:aws:iam::111122223333:role/slipway-deploy"

// TestHandler: a request that a role signed is told, with what it asks, and served;
// others are served alone.
func TestHandler(t *testing.T) {
	of := func(key string) string {
		return "AWS4-HMAC-SHA256 Credential=" + key + "/20260102/eu-west-1/codecommit/aws4_request, SignedHeaders=host, Signature=0"
	}
	for name, test := range map[string]struct {
		authorization string
		told          bool
	}{
		"a role's":         {of(trail.Key(role, "slipway-deploy")), true},
		"a person's":       {of("sandbox"), false},
		"a key of AWS's":   {of("ASIAIOSFODNN7EXAMPLE"), false},
		"without a scope":  {"AWS4-HMAC-SHA256 Credential=" + trail.Key(role, "slipway-deploy"), false},
		"without anything": {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			var told []trail.Call
			var served, caller string
			next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				served, caller = string(body), trail.Caller(r.Context())
			})
			const document = `{"repositoryName": "deployment"}`
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(document))
			r.Header.Set("Authorization", test.authorization)
			r.Header.Set("X-Amz-Target", "CodeCommit_20150413.GetFile")
			trail.Handler(next, func(c trail.Call) { told = append(told, c) }).ServeHTTP(httptest.NewRecorder(), r)
			if served != document {
				t.Errorf("served %q", served)
			}
			var want []trail.Call
			wantCaller := ""
			if test.told {
				wantCaller = "arn:aws:sts::111122223333:assumed-role/slipway-deploy/slipway-deploy"
				want = []trail.Call{{Role: role, Service: "codecommit", Operation: "GetFile", Request: json.RawMessage(document)}}
			}
			if !reflect.DeepEqual(told, want) {
				t.Errorf("told %+v, want %+v", told, want)
			}
			if caller != wantCaller {
				t.Errorf("called by %q, want %q", caller, wantCaller)
			}
		})
	}
}

// TestOf: a request in the SDK's shape is told as a document, and nobody is told of
// what has no role.
func TestOf(t *testing.T) {
	var told []trail.Call
	tell := trail.Tell(func(c trail.Call) { told = append(told, c) })
	tell.Of("", "lambda", "InvokeFunction", &lambda.InvokeInput{})
	tell.Of(role, "lambda", "InvokeFunction", &lambda.InvokeInput{FunctionName: aws.String("slipway-deploy")})
	trail.Tell(nil).Of(role, "lambda", "InvokeFunction", &lambda.InvokeInput{})
	if len(told) != 1 || told[0].Role != role || string(told[0].Request) != `{"FunctionName":"slipway-deploy"}` {
		t.Errorf("told %+v", told)
	}
}
