package awsjson

import (
	"bytes"
	"maps"
	"net/http"
)

// Answer is a response that is kept until it is sent, or forgotten: it lets a
// handler finish its work before the client can see anything of it.
type Answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// NewAnswer makes an empty answer.
func NewAnswer() *Answer { return &Answer{header: http.Header{}, status: http.StatusOK} }

// Header implements http.ResponseWriter.
func (a *Answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *Answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// Send writes the answer to w.
func (a *Answer) Send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the client may be gone; there is nobody to tell
}

// Convert replaces the answer's document by what f makes of it.
func (a *Answer) Convert(f func(document []byte) []byte) {
	converted := f(a.body.Bytes())
	a.body.Reset()
	a.body.Write(converted)
}
