package lambda

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// state is what a deployment has to remember from one job to the next.
type state struct {
	Pipeline  string    `json:"n,omitempty"`
	Execution string    `json:"e"`
	StartedAt time.Time `json:"s"`
	// Action is the one that Since belongs to; see steps.Steps.
	Action pipeline.Action `json:"a,omitempty"`
	Since  time.Time       `json:"i,omitzero"`
	// Claimed is when a job was claimed for a call that writes.
	Claimed time.Time `json:"c,omitzero"`

	// Begun says that the app's files were read, and Deployment was begun.
	Begun      bool               `json:"b,omitempty"`
	Deployment slipway.Deployment `json:"d"`
	// Unnamed says that Deployment.Targets has only those that did not run Base: the
	// others are read again. See recall.
	Unnamed bool `json:"u,omitempty"`
	// Seen is of the latest observation what later ones are judged by.
	Seen *slipway.Observation `json:"o,omitempty"`
}

// version is the first character of a token of this build's. It changes with the
// dictionary.
const version = "1"

// dictionary is what tokens are likely to have in them. Tokens that it made cannot be
// read with another.
var dictionary = []byte(`{"n":"deployment-master-cluster1-webapp1","e":"","s":"20","a":"observe-roll-back","i":"20","c":"20","b":true,"d":{"execution":"","app":"","commit":"","images":null,` +
	`"place":{"kind":"schedule","cluster":"","service":"","family":"codedeploy"},"phase":"rolling-back","attempt":1,"preparedAt":"20","base":"arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:",` +
	`"baseDeployment":"ecs-svc/","strategy":"blue-green","targets":[{"name":"rule/","before":"arn:aws:ecs:us-east-1:task-definition/"},{"name":"schedule/default/","before":"arn:aws:ecs:","problem":"cannot move "}],` +
	`"testTask":"arn:aws:ecs:eu-west-1:111122223333:task/cluster1/","taskDefinition":"arn:aws:ecs:eu-west-1:111122223333:task-definition/","reused":true,"firstWriteAt":"20","startedAt":"20","id":"ecs-svc/",` +
	`"restarts":1,"resumedAt":"20","rollbackFor":"rolled-back","rollbackReason":"not done after 30m0s: of tasks running, pending, failed; stopped by ","rollbackId":"ecs-svc/arn:aws:ecs:service-deployment/","rollbackStartedAt":"20"},` +
	`"u":true,"o":{"at":"20","state":"progressing","tasks":{"desired":0,"pending":0,"running":0,"failed":0},"draining":0}}`)

// reserve is how much of a token is left for what comes after PhasePrepared: ids,
// times, the beginning of a reason.
const reserve = 400

// cutMark ends a reason of which the token has not all.
const cutMark = " … (all of it is in the function's log)"

// encode makes a continuation token of at most most characters. What cannot be in it
// is left out in this order: the names of a batch app's schedules, which are read
// again; all but the beginning of the reason of a rollback. It is an error where that
// is not enough.
func (s state) encode(most int) (string, error) {
	d := &s.Deployment
	d.Execution, d.App, d.Commit, d.Images, d.BaseImages, d.Reusable = "", slipway.App{}, "", nil, nil, nil
	d.Place = slipway.Place{Kind: d.Place.Kind, Family: d.Place.Family}
	d.TestRun = false
	for _, at := range []*time.Time{&s.StartedAt, &s.Since, &s.Claimed, &d.PreparedAt, &d.FirstWriteAt, &d.StartedAt, &d.ResumedAt, &d.RollbackStartedAt} {
		*at = short(*at)
	}
	if seen := s.Seen; seen != nil {
		s.Seen = &slipway.Observation{At: short(seen.At), State: seen.State, BakeMinutes: seen.BakeMinutes}
		for _, hook := range seen.Hooks {
			s.Seen.Hooks = append(s.Seen.Hooks, slipway.Hook{ID: hook.ID})
		}
	}
	token, err := s.pack()
	if err == nil && len(token) > most && len(d.Targets) > 0 {
		d.Targets, s.Unnamed = others(*d), true
		token, err = s.pack()
	}
	reason := []rune(d.RollbackReason)
	for length := min(len(reason), 2*tokenMost); err == nil && len(token) > most && length > 50; {
		length = length * 3 / 4
		d.RollbackReason = strings.TrimSpace(string(reason[:length])) + cutMark
		token, err = s.pack()
	}
	if err == nil && len(token) > most {
		err = fmt.Errorf("what this deployment has to remember needs %d characters, and CodePipeline keeps %d", len(token), tokenMost)
	}
	return token, err
}

// short is a time by which AWS tells time: without what is below milliseconds.
func short(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.UTC().Truncate(time.Millisecond)
}

// pack makes a token of s as it is.
func (s state) pack() (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("write the continuation token: %w", err)
	}
	var packed bytes.Buffer
	w, err := flate.NewWriterDict(&packed, flate.BestCompression, dictionary)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", fmt.Errorf("write the continuation token: %w", err)
	}
	return version + base64.RawURLEncoding.EncodeToString(packed.Bytes()), nil
}

// decode reads a continuation token.
func decode(token string) (s state, err error) {
	text, known := strings.CutPrefix(token, version)
	var packed, unpacked []byte
	if !known {
		err = fmt.Errorf("another build of the function wrote it")
	}
	if err == nil {
		packed, err = base64.RawURLEncoding.DecodeString(text)
	}
	if err == nil {
		r := flate.NewReaderDict(bytes.NewReader(packed), dictionary)
		unpacked, err = io.ReadAll(io.LimitReader(r, 1<<20))
		err = cmp.Or(err, r.Close())
	}
	if err == nil {
		err = json.Unmarshal(unpacked, &s)
	}
	if err != nil {
		return s, &slipway.Error{
			Next: slipway.NextPerson, Message: "the continuation token cannot be read", Err: err,
			Hint: "look at what was deployed, then retry the stage",
		}
	}
	return s, nil
}
