package schedule

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/internal/target/raw"
)

const (
	cluster = "arn:aws:ecs:ca-central-1:111122223333:cluster/cluster1"
	was     = "arn:aws:ecs:ca-central-1:111122223333:task-definition/batchapp1:1"
	becomes = "arn:aws:ecs:ca-central-1:111122223333:task-definition/batchapp1:2"
)

// wire answers the SDK's clients, and keeps what they sent last.
type wire struct {
	answer string
	sent   []byte
	path   string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		read, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = read
	}
	w.sent, w.path = body, r.Method+" "+r.URL.RequestURI()
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(w.answer)),
	}, nil
}

func (w *wire) client() *Client {
	return New(Options{
		Config: aws.Config{
			Region: "ca-central-1", HTTPClient: &http.Client{Transport: w},
			Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		},
		Retryer: aws.NopRetryer{}, Once: aws.NopRetryer{},
		Explain: func(_ context.Context, err error, _ string) error { return err },
	})
}

// anything draws the text of any JSON value, numbers that no Go type holds
// included.
func anything(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kinds := []string{"text", "literal"}
		if depth > 0 {
			kinds = append(kinds, "object", "list")
		}
		switch rapid.SampledFrom(kinds).Draw(t, "kind") {
		case "object":
			return object(t, depth-1).text(t)
		case "list":
			return "[" + strings.Join(rapid.SliceOfN(anything(depth-1), 0, 3).Draw(t, "list"), " , ") + "]"
		case "text":
			return quote(t, rapid.String().Draw(t, "text"))
		}
		return rapid.SampledFrom([]string{"true", "false", "null", "0", "1.50", "1e400", "12345678901234567890", "9007199254740993", `"<&>"`}).Draw(t, "literal")
	})
}

// members are an object's, as text.
type members map[string]string

func object(t *rapid.T, depth int) members {
	m := members{}
	for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`New[A-Z][a-z]{1,8}`), 0, 4, rapid.ID).Draw(t, "names") {
		m[name] = anything(depth).Draw(t, name)
	}
	return m
}

func (m members) with(others members) members {
	m = maps.Clone(m)
	maps.Copy(m, others)
	return m
}

func (m members) text(t *rapid.T) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, quote(t, name)+":"+m[name])
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func quote(t *rapid.T, s string) string {
	text, err := raw.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compact is JSON without spaces and with its members in order, all else as it was.
func compact(t *rapid.T, text string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return b.String()
}

// target draws a target of ECS that runs a task definition, with members that
// nobody knows at each level; more are members that it has beside them.
func target(t *rapid.T, runs string, more members) members {
	parameters := object(t, 2).with(members{"TaskDefinitionArn": quote(t, runs)})
	if rapid.Bool().Draw(t, "network") {
		vpc := object(t, 1).with(members{"Subnets": `["subnet-1"]`})
		parameters["NetworkConfiguration"] = object(t, 1).with(members{"awsvpcConfiguration": vpc.text(t)}).text(t)
	}
	return object(t, 2).with(members{
		"Arn": quote(t, cluster), "RoleArn": quote(t, "role"), "EcsParameters": parameters.text(t),
	}).with(more)
}

// TestPutTargetsLosesNothing: whatever a rule's targets have, known to the SDK or
// not, at whatever depth, is put back as it was listed, but for one ARN.
func TestPutTargetsLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := target(t, was, members{"Id": `"a"`, "Input": quote(t, rapid.String().Draw(t, "input"))})
		b := target(t, was, members{"Id": `"b"`})
		foreign := target(t, was, members{"Id": `"c"`, "Arn": `"arn:aws:ecs:ca-central-1:111122223333:cluster/cluster2"`})
		answer := `{"Targets": [` + strings.Join([]string{a.text(t), foreign.text(t), b.text(t)}, ",") + `]}`
		w := &wire{answer: answer}
		c := w.client()
		names := []string{"rule/nightly/a", "rule/nightly/b"}
		read, err := c.Read(context.Background(), cluster, append(names, "rule/nightly/c", "rule/nightly/d"))
		if err != nil || len(read) != 2 || read[names[0]].TaskDefinition != was {
			t.Fatalf("read %v, %v", read, err)
		}
		w.answer = `{"FailedEntryCount": 0, "FailedEntries": []}`
		groups := Group([]Target{read[names[0]], read[names[1]]})
		if len(groups) != 1 {
			t.Fatalf("%d calls for a rule", len(groups))
		}
		if some, err := c.Move(context.Background(), groups[0], map[string]string{names[0]: becomes, names[1]: becomes}, "token"); err != nil || !some {
			t.Fatal(err)
		}
		swap := func(text string) string {
			return strings.Replace(text, `"TaskDefinitionArn":`+quote(t, was), `"TaskDefinitionArn":`+quote(t, becomes), 1)
		}
		want := `{"Rule":"nightly","Targets":[` + swap(compact(t, a.text(t))) + "," + swap(compact(t, b.text(t))) + "]}"
		if got := compact(t, string(w.sent)); got != want {
			t.Fatalf("put\n%s\nwant\n%s", got, want)
		}
	})
}

// TestUpdateScheduleLosesNothing: whatever a schedule has is sent again as it was
// described, but for one ARN and what only a response has.
func TestUpdateScheduleLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := func(runs string, seed members) members {
			return seed.with(members{"Target": strings.Replace(seed["Target"], quote(t, was), quote(t, runs), 1)})
		}
		described := object(t, 3).with(members{
			"GroupName": `"billing"`, "ScheduleExpression": `"rate(1 hour)"`,
			"FlexibleTimeWindow": object(t, 1).with(members{"Mode": `"OFF"`}).text(t),
			"Target":             target(t, was, nil).text(t),
		})
		for name, value := range map[string]string{"StartDate": "1.7E9", "EndDate": "4102444800.000", "State": `"DISABLED"`, "Description": `"<&>"`} {
			if rapid.Bool().Draw(t, name) {
				described[name] = value
			}
		}
		w := &wire{answer: described.with(members{
			"Arn": `"arn"`, "CreationDate": "1.7E9", "LastModificationDate": rapid.SampledFrom([]string{"1.7E9", "1.8E9"}).Draw(t, "modified"), "Name": `"monthly"`,
		}).text(t)}
		c := w.client()
		const name = "schedule/billing/monthly"
		read, err := c.Read(context.Background(), cluster, []string{name})
		if err != nil || read[name].TaskDefinition != was {
			t.Fatalf("read %v, %v of %s", read, err, w.answer)
		}
		if want := "GET /schedules/monthly?groupName=billing"; w.path != want {
			t.Fatalf("read by %s, want %s", w.path, want)
		}
		w.answer = `{"ScheduleArn": "arn"}`
		move := func(token string) (body string, clientToken string) {
			if some, err := c.Move(context.Background(), []Target{read[name]}, map[string]string{name: becomes}, token); err != nil || !some {
				t.Fatal(err)
			}
			var sent raw.Members
			if err := json.Unmarshal(w.sent, &sent); err != nil {
				t.Fatal(err)
			}
			clientToken = sent.At("ClientToken")
			delete(sent, "ClientToken")
			text, err := raw.Encode(sent)
			if err != nil {
				t.Fatal(err)
			}
			return string(text), clientToken
		}
		body, token := move("execution")
		if want := compact(t, is(becomes, described).text(t)); body != want {
			t.Fatalf("sent\n%s\nwant\n%s", body, want)
		}
		if want := "PUT /schedules/monthly"; w.path != want {
			t.Fatalf("written by %s, want %s", w.path, want)
		}
		if _, again := move("execution"); again != token || len(token) != 32 {
			t.Fatalf("the same call has the tokens %q and %q", token, again)
		}
		if _, other := move("another"); other == token {
			t.Fatal("another execution has the same token")
		}
	})
}
