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

// scheduler is the name of EventBridge Scheduler's operations in X-Amz-Target,
// ours: it has none of its own.
const scheduler = "AWSScheduler"

// route is a request of restJson1, understood.
type route struct {
	target string
	// members are those that the path and the query gave, by name in the model.
	members map[string]any
}

// match finds the operation of a request by its method and path.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
func match(method string, at *url.URL) (route, bool) {
	kind, name, named := strings.Cut(strings.TrimPrefix(at.EscapedPath(), "/"), "/")
	name, err := url.PathUnescape(name)
	if err != nil {
		return route{}, false
	}
	noun, ok := map[string]string{"schedules": "Schedule", "schedule-groups": "ScheduleGroup", "tags": "Resource"}[kind]
	if !ok || named && name == "" {
		return route{}, false
	}
	member, verbs := "Name", map[string]string{"POST": "Create", "PUT": "Update", "GET": "Get", "DELETE": "Delete"}
	if kind == "tags" {
		member, verbs = "ResourceArn", map[string]string{"POST": "Tag", "GET": "ListTagsFor", "DELETE": "Untag"}
	}
	verb, ok := verbs[method]
	if !named {
		verb, ok = "List", method == http.MethodGet && kind != "tags"
		noun += "s"
	}
	if !ok {
		return route{}, false
	}
	found := route{target: scheduler + "." + verb + noun, members: map[string]any{}}
	if named {
		found.members[member] = name
	}
	found.query(at.Query())
	return found, true
}

// query adds the members of the query.
func (r route) query(values url.Values) {
	names := map[string]string{"clientToken": "ClientToken", "groupName": "GroupName", "ScheduleGroup": "GroupName"}
	for key, list := range values {
		name := key
		if other, ok := names[key]; ok {
			name = other
		}
		switch name {
		case "TagKeys":
			r.members[name] = list
		case "MaxResults":
			// What is no number is refused where the document is read.
			if n, err := strconv.Atoi(list[0]); err == nil {
				r.members[name] = n
			} else {
				r.members[name] = list[0]
			}
		default:
			r.members[name] = list[0]
		}
	}
}

// serveREST answers a restJson1 request: its body's members and the route's are
// one document.
func serveREST(w http.ResponseWriter, r *http.Request, next http.Handler, found route) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	members := map[string]json.RawMessage{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &members); err != nil {
			awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: "the request is not a JSON document"})
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found.members)) {
		members[name], _ = json.Marshal(found.members[name]) // strings, a list of them or a number
	}
	document, err := json.Marshal(members)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	answer := call(r, next, found.target, document)
	answer.Header().Set("Content-Type", "application/json")
	answer.Send(w)
}
