package awsjson

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
)

// maxBody is the largest request that is read, in bytes: that of a Lambda function
// with its code, 50 MB in base64.
const maxBody = 70 << 20

// Mux serves several services at one endpoint, each by the name that its
// X-Amz-Target headers begin with.
type Mux map[string]http.Handler

// ServeHTTP implements http.Handler.
func (m Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, _ := Target(r)
	if h, ok := m[service]; ok {
		h.ServeHTTP(w, r)
		return
	}
	WriteError(w, unknown(r))
}

// Handler serves one service: target is the name that its X-Amz-Target headers
// begin with, for example AmazonEC2ContainerServiceV20141113; the methods of
// methods are its operations, those of another shape than the package comment's
// are left out. It is safe for concurrent use if the methods are.
func Handler(target string, methods any) http.Handler {
	return &handler{target: target, operations: operations(reflect.ValueOf(methods))}
}

// Target says which service's operation a request is for, from its
// X-Amz-Target header; both are empty when it has none.
func Target(r *http.Request) (service, operation string) {
	service, operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return service, operation
}

// WriteError answers with err: as an AWS error if it is one, else as
// ServerException, 500.
func WriteError(w http.ResponseWriter, err error) {
	code, message, status := "ServerException", err.Error(), http.StatusInternalServerError
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code, message, status = api.ErrorCode(), api.ErrorMessage(), http.StatusBadRequest
		var coded interface{ HTTPStatusCode() int }
		switch {
		case errors.As(err, &coded):
			status = coded.HTTPStatusCode()
		case api.ErrorFault() == smithy.FaultServer:
			status = http.StatusInternalServerError
		case code == "AccessDeniedException":
			status = http.StatusForbidden
		}
	}
	// Two strings always marshal.
	body, _ := json.Marshal(map[string]string{"__type": code, "message": message})
	w.Header().Set("X-Amzn-ErrorType", code)
	write(w, status, body)
}

// handler serves the operations of one service.
type handler struct {
	target     string
	operations map[string]operation
}

// operation is a method that can be called with a document.
type operation struct {
	method reflect.Value
	input  reflect.Type // *Input, or json.RawMessage
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	rawType     = reflect.TypeFor[json.RawMessage]()
)

// operations finds the methods that are operations.
func operations(v reflect.Value) map[string]operation {
	ops := map[string]operation{}
	for i := range v.NumMethod() {
		m := v.Method(i)
		t := m.Type()
		if t.NumIn() != 2 || t.NumOut() != 2 || t.In(0) != contextType || t.Out(1) != errorType || !isStruct(t.Out(0)) {
			continue
		}
		if t.In(1) == rawType || isStruct(t.In(1)) {
			ops[v.Type().Method(i).Name] = operation{method: m, input: t.In(1)}
		}
	}
	return ops
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, name := Target(r)
	op, ok := h.operations[name]
	if r.Method != http.MethodPost || service != h.target || !ok {
		WriteError(w, unknown(r))
		return
	}
	document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		WriteError(w, &Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	out, err := op.call(r.Context(), document)
	if err != nil {
		WriteError(w, err)
		return
	}
	write(w, http.StatusOK, out)
}

// call decodes, calls and encodes.
func (op operation) call(ctx context.Context, document []byte) ([]byte, error) {
	if len(document) == 0 {
		document = []byte("{}")
	}
	var in reflect.Value
	if op.input == rawType {
		if !json.Valid(document) {
			return nil, &Error{Code: "SerializationException", Message: "the request is not a JSON document"}
		}
		in = reflect.ValueOf(json.RawMessage(document))
	} else {
		in = reflect.New(op.input.Elem())
		if err := Unmarshal(document, in.Interface()); err != nil {
			return nil, &Error{Code: "SerializationException", Message: err.Error()}
		}
	}
	results := op.method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := results[1].Interface().(error); err != nil {
		return nil, err
	}
	return Marshal(results[0].Interface())
}

// unknown is the error for an operation that nobody serves.
func unknown(r *http.Request) error {
	return &Error{
		Code:    "UnknownOperationException",
		Message: fmt.Sprintf("operation %q is not served here", r.Header.Get("X-Amz-Target")),
	}
}

// write sends a document with the headers that every AWS answer has.
func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("x-amzn-RequestId", requestID())
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; there is nobody to tell
}

// requestID is a random identifier in the form of a UUID.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
