package protocol_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/protocol"
)

// echo answers with the target and the document of each request, or with what it
// is given.
type echo struct{ answer string }

func (e echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if e.answer == "fail" {
		awsjson.WriteError(w, &awsjson.Error{Code: "ResourceNotFound", Message: "no", Status: http.StatusNotFound})
		return
	}
	w.Header().Set("X-Seen", r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Amz-Target")+" "+string(body))
	_, _ = io.WriteString(w, e.answer)
}

func do(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	protocol.Translate(h).ServeHTTP(w, r)
	return w
}

func TestREST(t *testing.T) {
	const arn = "arn%3Aaws%3Ascheduler%3Aeu-west-1%3A111122223333%3Aschedule-group%2Fg"
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/schedules/a", `{"State":"ENABLED","Target":{"x":[1]}}`, `AWSScheduler.CreateSchedule {"Name":"a","State":"ENABLED","Target":{"x":[1]}}`},
		{"PUT", "/schedules/a", `{}`, `AWSScheduler.UpdateSchedule {"Name":"a"}`},
		{"GET", "/schedules/a%20b?groupName=g", ``, `AWSScheduler.GetSchedule {"GroupName":"g","Name":"a b"}`},
		{"DELETE", "/schedules/a?clientToken=t&groupName=g", ``, `AWSScheduler.DeleteSchedule {"ClientToken":"t","GroupName":"g","Name":"a"}`},
		{"GET", "/schedules?ScheduleGroup=g&MaxResults=2&NextToken=n", ``, `AWSScheduler.ListSchedules {"GroupName":"g","MaxResults":2,"NextToken":"n"}`},
		{"GET", "/schedules?MaxResults=many", ``, `AWSScheduler.ListSchedules {"MaxResults":"many"}`},
		{"GET", "/schedule-groups?NamePrefix=p", ``, `AWSScheduler.ListScheduleGroups {"NamePrefix":"p"}`},
		{"POST", "/schedule-groups/g", `{}`, `AWSScheduler.CreateScheduleGroup {"Name":"g"}`},
		{"GET", "/tags/" + arn, ``, `AWSScheduler.ListTagsForResource {"ResourceArn":"arn:aws:scheduler:eu-west-1:111122223333:schedule-group/g"}`},
		{"DELETE", "/tags/" + arn + "?TagKeys=a&TagKeys=b", ``, `AWSScheduler.UntagResource {"ResourceArn":"arn:aws:scheduler:eu-west-1:111122223333:schedule-group/g","TagKeys":["a","b"]}`},
	} {
		w := do(echo{}, c.method, c.path, c.body)
		if got := w.Header().Get("X-Seen"); got != "POST / "+c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
		if got := w.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("%s %s: answered as %s", c.method, c.path, got)
		}
	}
	if w := do(echo{}, "POST", "/schedules/a", `{`); w.Code != 400 || w.Header().Get("X-Amzn-ErrorType") != "SerializationException" {
		t.Errorf("no JSON: %d %v", w.Code, w.Header())
	}
}

// TestThrough: what is of no other protocol is not touched.
func TestThrough(t *testing.T) {
	for _, c := range []struct{ method, path string }{
		{"POST", "/"}, {"GET", "/"}, {"PATCH", "/schedules/a"}, {"GET", "/schedules/"}, {"POST", "/schedules"}, {"GET", "/tags"},
		{"POST", "/service/S/operation/O"}, // without the header
	} {
		w := do(echo{}, c.method, c.path, "body", "X-Amz-Target", "S.O")
		if got, want := w.Header().Get("X-Seen"), c.method+" "+c.path+" S.O body"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestCBOR(t *testing.T) {
	send := func(answer string, value cbor.Value) *httptest.ResponseRecorder {
		body := ""
		if value != nil {
			body = string(cbor.Encode(value))
		}
		return do(echo{answer}, "POST", "/service/S/operation/O", body, "Smithy-Protocol", "rpc-v2-cbor")
	}
	w := send(`{"a":[1,-2,2.5,"x",true,null],"StateTimestamp":1793534400.123}`, cbor.Map{
		"text": cbor.String("x"), "list": cbor.List{cbor.Uint(1), cbor.NegInt(2), cbor.Float64(2.5), cbor.Bool(true), &cbor.Nil{}},
		"at": &cbor.Tag{ID: 1, Value: cbor.Float64(1793534400.5)}, "blob": cbor.Slice("hi"),
	})
	if got, want := w.Header().Get("X-Seen"), `POST / S.O {"at":1793534400.5,"blob":"aGk=","list":[1,-2,2.5,true,null],"text":"x"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	value, err := cbor.Decode(w.Body.Bytes())
	want := cbor.Map{
		"a":              cbor.List{cbor.Uint(1), cbor.NegInt(2), cbor.Float64(2.5), cbor.String("x"), cbor.Bool(true), &cbor.Nil{}},
		"StateTimestamp": &cbor.Tag{ID: 1, Value: cbor.Float64(1793534400.123)},
	}
	if diff := cmp.Diff(cbor.Value(want), value); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if w.Header().Get("Smithy-Protocol") != "rpc-v2-cbor" || w.Header().Get("Content-Type") != "application/cbor" {
		t.Errorf("headers %v", w.Header())
	}
	if got := send(`{}`, nil).Header().Get("X-Seen"); got != "POST / S.O {}" {
		t.Errorf("no input: %s", got)
	}
	w = send("fail", cbor.Map{})
	value, err = cbor.Decode(w.Body.Bytes())
	if diff := cmp.Diff(cbor.Value(cbor.Map{"__type": cbor.String("ResourceNotFound"), "message": cbor.String("no")}), value); err != nil || diff != "" ||
		w.Code != 404 || w.Header().Get("X-Amzn-Query-Error") != "ResourceNotFound;Sender" {
		t.Errorf("%d %v %v\n%s", w.Code, w.Header(), err, diff)
	}
	w = do(echo{}, "POST", "/service/S/operation/O", "\xff", "Smithy-Protocol", "rpc-v2-cbor")
	if w.Code != 400 || w.Header().Get("X-Amzn-ErrorType") != "SerializationException" {
		t.Errorf("no CBOR: %d %v", w.Code, w.Header())
	}
}
