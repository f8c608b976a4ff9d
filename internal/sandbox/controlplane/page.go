package controlplane

import (
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// pageMost is how many results a page of any list can have.
const pageMost = 100

// page cuts the page that token names out of items: at most maxResults of them,
// usual when that is nil. The token of the next page is nil on the last one.
func page[T any](items []T, token *string, maxResults *int32, usual int) ([]T, *string, error) {
	size := usual
	if maxResults != nil {
		size = int(*maxResults)
	}
	if size < 1 || size > pageMost {
		return nil, nil, errParameter("maxResults must be between 1 and %d.", pageMost)
	}
	start := 0
	if token != nil {
		text, err := base64.StdEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, errParameter("Invalid token: %s", *token)
		}
		if start, err = strconv.Atoi(string(text)); err != nil || start < 0 {
			return nil, nil, errParameter("Invalid token: %s", *token)
		}
	}
	start = min(start, len(items))
	end := min(start+size, len(items))
	var next *string
	if end < len(items) {
		next = aws.String(base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(end))))
	}
	// Never nil: AWS answers with an empty list.
	return append([]T{}, items[start:end]...), next, nil
}
