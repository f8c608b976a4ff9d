package protocol

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// operation is an operation of restJson1: where it is, and what of its input and
// output does not go as a document.
type operation struct {
	target string // as package awsjson calls it: SERVICE.OPERATION
	status int    // of success; 0 means 200
	// payload is the member that is the whole body, both of the request and of
	// the answer; empty if the body is a document.
	payload string
	// in and out are the members that are headers, by the header's name.
	in, out map[string]string
	// code is the member of the output that is the status; empty if none is.
	code string
}

// router serves the operations of restJson1, each at its method and path as
// http.ServeMux writes them: a path's {Name} is a member of the input. What no
// operation is for goes to next.
func router(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	for pattern, op := range operations() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serveREST(w, r, next, op) })
	}
	mux.Handle("/", next)
	return mux
}

// members are those of the input that the path, the query and the headers give.
func (o operation) members(r *http.Request) map[string]any {
	members := map[string]any{}
	for _, part := range strings.Split(r.Pattern, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		if name != "$" { // a path's end
			members[name] = r.PathValue(name)
		}
	}
	query(members, r.URL.Query())
	for header, name := range o.in {
		if value := r.Header.Get(header); value != "" {
			members[name] = value
		}
	}
	return members
}

// query adds the members of the query, which are spelled in either case.
func query(members map[string]any, values url.Values) {
	for key, list := range values {
		name := strings.ToUpper(key[:min(1, len(key))]) + key[min(1, len(key)):]
		switch name {
		case "ScheduleGroup":
			members["GroupName"] = list[0]
		case "TagKeys":
			members[name] = list
		case "MaxResults", "MaxItems":
			// What is no number is refused where the document is read.
			if n, err := strconv.Atoi(list[0]); err == nil {
				members[name] = n
			} else {
				members[name] = list[0]
			}
		default:
			members[name] = list[0]
		}
	}
}

// serveREST answers a restJson1 request: its body's members and those of the path,
// the query and the headers are one document.
func serveREST(w http.ResponseWriter, r *http.Request, next http.Handler, op operation) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	members := map[string]json.RawMessage{}
	given := op.members(r)
	switch {
	case len(body) == 0:
	case op.payload != "":
		given[op.payload] = body
	default:
		if err := json.Unmarshal(body, &members); err != nil {
			awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: "the request is not a JSON document"})
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		members[name], _ = json.Marshal(given[name]) // strings, a list of them, a number or bytes
	}
	document, err := json.Marshal(members)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	answer := call(r, next, op.target, document)
	answer.Header().Set("Content-Type", "application/json")
	if answer.Header().Get("X-Amzn-ErrorType") == "" {
		op.answer(answer)
	}
	answer.Send(w)
}

// answer moves what is no document of a good answer to where it belongs.
func (o operation) answer(answer *awsjson.Answer) {
	if o.status != 0 {
		answer.WriteHeader(o.status)
	}
	if o.payload == "" {
		if o.status == http.StatusNoContent {
			answer.Convert(func([]byte) []byte { return nil })
		}
		return
	}
	answer.Convert(func(document []byte) []byte {
		var members map[string]json.RawMessage
		_ = json.Unmarshal(document, &members) // written by package awsjson
		for header, name := range o.out {
			var value string
			if json.Unmarshal(members[name], &value) == nil && value != "" {
				answer.Header().Set(header, value)
			}
		}
		var status int
		if json.Unmarshal(members[o.code], &status) == nil && status != 0 {
			answer.WriteHeader(status)
		}
		var payload []byte
		_ = json.Unmarshal(members[o.payload], &payload) // absent, or base64
		return payload
	})
}
