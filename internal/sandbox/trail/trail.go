// Package trail tells which calls are made with the credentials of roles, as AWS
// CloudTrail does. The sandbox allows every call: whoever wants to know whether a
// role's policies would have, compares them with what is told here.
//
//	function ── signed with Key(role) ──► Handler ──► tell
//	CodePipeline, EventBridge ── in this process ───► tell
//
// An access key says whose it is, so nothing is kept.
package trail

import (
	"bytes"
	"encoding/base32"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// Call is one call of AWS's API.
type Call struct {
	Role      string          // the ARN
	Service   string          // as in the actions of IAM's policies, such as codecommit
	Operation string          // such as GetFile
	Request   json.RawMessage // the parameters
}

// Tell is told of calls, from any goroutine; it must be quick. Nil is told nothing.
type Tell func(Call)

// Of tells of a call with a request in the SDK's shape, or a document.
func (t Tell) Of(role, service, operation string, request any) {
	if t == nil || role == "" {
		return
	}
	document, isDocument := request.(json.RawMessage)
	if !isDocument {
		var err error
		if document, err = awsjson.Marshal(request); err != nil {
			document = nil // the call is told nevertheless
		}
	}
	t(Call{Role: role, Service: service, Operation: operation, Request: document})
}

// prefix is that of AWS's temporary access keys.
const prefix = "ASIA"

// encoding has the characters of access keys.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Key is the access key of a role's credentials.
func Key(role string) string { return prefix + encoding.EncodeToString([]byte(role)) }

// owner is the role whose credentials a request is signed with, and the service
// that it is signed for; empty if it is signed with others.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
func owner(r *http.Request) (role, service string) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	scope := strings.Split(credential, "/") // key, date, region, service, aws4_request
	encoded, temporary := strings.CutPrefix(scope[0], prefix)
	name, err := encoding.DecodeString(encoded)
	if !temporary || err != nil || len(scope) != 5 || !strings.HasPrefix(string(name), "arn:") {
		return "", ""
	}
	return string(name), scope[3]
}

// Handler serves next, which speaks awsJson alone, and tells of the requests that
// are signed with a role's credentials before they are served.
func Handler(next http.Handler, tell Tell) http.Handler {
	if tell == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role, service := owner(r)
		_, operation := awsjson.Target(r)
		if role == "" || operation == "" {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		tell.Of(role, service, operation, json.RawMessage(body))
		next.ServeHTTP(w, r)
	})
}
