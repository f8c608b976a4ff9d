package protocol

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// Translate serves next, which speaks awsJson alone, in all protocols. What is
// none of the others goes through as it is.
func Translate(next http.Handler) http.Handler {
	rest := router(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if service, operation, ok := rpcTarget(r); ok {
			serveCBOR(w, r, next, service+"."+operation)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// rpcTarget says which service's operation an rpcv2Cbor request is for.
func rpcTarget(r *http.Request) (service, operation string, ok bool) {
	if r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/service/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/operation/")
}

// call has next answer a document sent to a target, with the request's headers.
func call(r *http.Request, next http.Handler, target string, document []byte) *awsjson.Answer {
	inner := r.Clone(r.Context())
	inner.Method = http.MethodPost
	inner.URL.Path, inner.URL.RawPath, inner.URL.RawQuery = "/", "", ""
	inner.Header.Set("X-Amz-Target", target)
	inner.Body = io.NopCloser(bytes.NewReader(document))
	inner.ContentLength = int64(len(document))
	answer := awsjson.NewAnswer()
	next.ServeHTTP(answer, inner)
	return answer
}
