package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/slipway-cd/slipway/internal/sandbox/lambda"
)

// answerMost is how much of a function's answer is read, in bytes: what Lambda
// allows.
const answerMost = 6 << 20

// httpFunctions are Lambda functions that are served at URLs, by their ARNs.
type httpFunctions map[string]string

// elsewhere are the functions of URLs; nil if there are none.
func elsewhere(urls map[string]string) lambda.Elsewhere {
	if len(urls) == 0 {
		return nil
	}
	return httpFunctions(urls)
}

// Invoke implements lambda.Elsewhere: it posts the document to the
// function's URL. A status that says that the function failed is answered as
// Lambda answers for one: with a document that has an errorMessage.
func (f httpFunctions) Invoke(ctx context.Context, functionARN string, payload []byte) (answer []byte, err error) {
	url, found := f[functionARN]
	if !found {
		return nil, errors.New("Function not found: " + functionARN) // Lambda's own words
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Appendf(nil, `{"errorMessage": %q}`, res.Status), nil
	}
	return io.ReadAll(io.LimitReader(res.Body, answerMost))
}
