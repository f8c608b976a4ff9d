package codecommit

import (
	"crypto/rand"
	"fmt"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// fail is one of CodeCommit's exceptions, all of which are answered with 400.
func fail(code, format string, args ...any) error {
	return &awsjson.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// newID is a random identifier in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// page is the page that token names.
func page[T any](items []T, token *string, size int) ([]T, *string, error) {
	found, next, err := awsjson.Page(items, token, size)
	if err != nil {
		return nil, nil, fail("InvalidContinuationTokenException", "The specified continuation token is not valid.")
	}
	return found, next, nil
}

// pageOwn is how many differences or versions a page has if the client does not say:
// ours.
const pageOwn = 100

// pageSize is how many results a page has that may have at most so many.
func pageSize(most *int32) (int, error) {
	switch {
	case most == nil:
		return pageOwn, nil
	case *most < 1:
		return 0, fail("InvalidMaxResultsException", "The specified number of maximum results is not valid.")
	}
	return int(*most), nil
}
