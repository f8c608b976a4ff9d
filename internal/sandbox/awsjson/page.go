package awsjson

import (
	"encoding/base64"
	"fmt"
	"strconv"
)

// Page cuts the page that token names out of items, at most size of them, and
// names the next one: nil on the last. The page is never nil, since AWS answers
// with empty lists. The error says that the token is none of ours.
func Page[T any](items []T, token *string, size int) (page []T, next *string, err error) {
	start := 0
	if token != nil {
		text, err := base64.StdEncoding.DecodeString(*token)
		if err == nil {
			start, err = strconv.Atoi(string(text))
		}
		if err != nil || start < 0 {
			return nil, nil, fmt.Errorf("the token %q is not one that was given", *token)
		}
	}
	start = min(start, len(items))
	end := min(start+max(size, 1), len(items))
	if end < len(items) {
		token := base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(end)))
		next = &token
	}
	return append([]T{}, items[start:end]...), next, nil
}
