package awsjson_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// methods are operations, and two methods that are none.
type methods struct {
	fail  error
	calls int
}

func (m *methods) DeleteService(_ context.Context, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	m.calls++
	return &ecs.DeleteServiceOutput{Service: &types.Service{ServiceName: in.Service}}, m.fail
}

func (m *methods) RegisterTaskDefinition(_ context.Context, document json.RawMessage) (*struct{ TaskDefinition json.RawMessage }, error) {
	return &struct{ TaskDefinition json.RawMessage }{document}, nil
}

func (m *methods) Close()                         {}
func (m *methods) Count(string, int) (int, error) { return 0, nil }

// call sends a document to a handler.
func call(h http.Handler, method, target, document string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", strings.NewReader(document))
	r.Header.Set("X-Amz-Target", target)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	m := &methods{}
	h := awsjson.Mux{"Service_1": awsjson.Handler("Service_1", m)}
	for _, c := range []struct {
		name, method, target, document string
		fail                           error
		status                         int
		want, errorType                string
	}{
		{"typed", http.MethodPost, "Service_1.DeleteService", `{"service":"s"}`, nil, 200, "", ""},
		{"raw", http.MethodPost, "Service_1.RegisterTaskDefinition", `{"newer":[1]}`, nil, 200, `{"taskDefinition":{"newer":[1]}}`, ""},
		{"empty document", http.MethodPost, "Service_1.RegisterTaskDefinition", ``, nil, 200, `{"taskDefinition":{}}`, ""},
		{"not JSON, typed", http.MethodPost, "Service_1.DeleteService", `{`, nil, 400, "", "SerializationException"},
		{"not JSON, raw", http.MethodPost, "Service_1.RegisterTaskDefinition", `{`, nil, 400, "", "SerializationException"},
		{"unknown operation", http.MethodPost, "Service_1.Fly", `{}`, nil, 400, "", "UnknownOperationException"},
		{"no operation", http.MethodPost, "Service_1.Close", `{}`, nil, 400, "", "UnknownOperationException"},
		{"unknown service", http.MethodPost, "Service_2.DeleteService", `{}`, nil, 400, "", "UnknownOperationException"},
		{"no target", http.MethodPost, "", `{}`, nil, 400, "", "UnknownOperationException"},
		{"GET", http.MethodGet, "Service_1.DeleteService", ``, nil, 400, "", "UnknownOperationException"},
		{"modelled error", http.MethodPost, "Service_1.DeleteService", `{}`, &types.ClusterNotFoundException{Message: aws.String("Cluster not found.")},
			400, `{"__type":"ClusterNotFoundException","message":"Cluster not found."}`, "ClusterNotFoundException"},
		{"modelled server error", http.MethodPost, "Service_1.DeleteService", `{}`, &types.ServerException{}, 500, "", "ServerException"},
		{"access denied", http.MethodPost, "Service_1.DeleteService", `{}`, &types.AccessDeniedException{}, 403, "", "AccessDeniedException"},
		{"own error", http.MethodPost, "Service_1.DeleteService", `{}`, &awsjson.Error{Code: "SlowDown", Message: "m", Status: 503}, 503, "", "SlowDown"},
		{"other error", http.MethodPost, "Service_1.DeleteService", `{}`, errors.New("disk full"), 500, `{"__type":"ServerException","message":"disk full"}`, "ServerException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.fail = c.fail
			w := call(h, c.method, c.target, c.document)
			if w.Code != c.status || w.Header().Get("X-Amzn-ErrorType") != c.errorType {
				t.Errorf("status %d, error %q, want %d, %q: %s", w.Code, w.Header().Get("X-Amzn-ErrorType"), c.status, c.errorType, w.Body)
			}
			if c.want != "" && w.Body.String() != c.want {
				t.Errorf("body %s, want %s", w.Body, c.want)
			}
			if w.Header().Get("x-amzn-RequestId") == "" || w.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}

func TestFaults(t *testing.T) {
	m := &methods{}
	var fault *awsjson.Fault
	var asked []string
	h := awsjson.Faults(awsjson.Handler("Service_1", m), func(operation string) *awsjson.Fault {
		asked = append(asked, operation)
		return fault
	})
	for _, c := range []struct {
		name          string
		fault         *awsjson.Fault
		status, calls int
		dropped       bool
	}{
		{"none", nil, 200, 1, false},
		{"throttled", awsjson.Throttled(), 400, 0, false},
		{"unavailable", awsjson.Unavailable(), 503, 0, false},
		{"dropped before", awsjson.Dropped(false), 0, 0, true},
		{"dropped after", awsjson.Dropped(true), 0, 1, true},
		{"failed after", &awsjson.Fault{Err: errors.New("x"), AfterEffect: true}, 500, 1, false},
		{"slow", &awsjson.Fault{Delay: time.Millisecond}, 200, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fault, m.calls, asked = c.fault, 0, nil
			var w *httptest.ResponseRecorder
			dropped := func() (dropped bool) {
				defer func() {
					err, _ := recover().(error)
					dropped = errors.Is(err, http.ErrAbortHandler)
				}()
				w = call(h, http.MethodPost, "Service_1.DeleteService", `{}`)
				return false
			}()
			if dropped != c.dropped || m.calls != c.calls || !dropped && w.Code != c.status {
				t.Errorf("dropped %v, %d calls, answer %v", dropped, m.calls, w)
			}
			if diff := cmp.Diff([]string{"DeleteService"}, asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}
