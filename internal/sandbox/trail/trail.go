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
	"context"
	"encoding/base32"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

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

// Key is the access key of a role's credentials in a session: of Lambda, one is named
// as the function.
func Key(role, session string) string {
	return prefix + encoding.EncodeToString([]byte(role+" "+session))
}

// Caller is the ARN of who signed the request that ctx is of, if that is a role's
// session; otherwise it is empty.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func Caller(ctx context.Context) string {
	caller, _ := ctx.Value(callerKey{}).(string)
	return caller
}

type callerKey struct{}

// assumed is the ARN of a role's session.
func assumed(role, session string) string {
	parsed, err := arn.Parse(role)
	if err != nil {
		return ""
	}
	parsed.Service = "sts"
	parsed.Resource = "assumed-role/" + parsed.Resource[strings.LastIndex(parsed.Resource, "/")+1:] + "/" + session
	return parsed.String()
}

// owner is the role whose credentials a request is signed with, the session, and the
// service that it is signed for; empty if it is signed with others.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
func owner(r *http.Request) (role, session, service string) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	scope := strings.Split(credential, "/") // key, date, region, service, aws4_request
	encoded, temporary := strings.CutPrefix(scope[0], prefix)
	name, err := encoding.DecodeString(encoded)
	if !temporary || err != nil || len(scope) != 5 || !strings.HasPrefix(string(name), "arn:") {
		return "", "", ""
	}
	role, session, _ = strings.Cut(string(name), " ")
	return role, session, scope[3]
}

// Handler serves next, which speaks awsJson alone, with the Caller in the request's
// context, and tells of the requests that are signed with a role's credentials before
// they are served.
func Handler(next http.Handler, tell Tell) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role, session, service := owner(r)
		_, operation := awsjson.Target(r)
		if role == "" || operation == "" {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, assumed(role, session)))
		if tell != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			tell.Of(role, service, operation, json.RawMessage(body))
		}
		next.ServeHTTP(w, r)
	})
}
