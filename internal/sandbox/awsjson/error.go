package awsjson

import (
	"net/http"

	"github.com/aws/smithy-go"
)

// Error is an AWS service's error as a client sees it. Methods may return it or
// any other [smithy.APIError], such as the SDK's modelled errors.
type Error struct {
	Code    string // for example ClusterNotFoundException
	Message string
	Status  int // the HTTP status; 0 means 400
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrorCode implements [smithy.APIError].
func (e *Error) ErrorCode() string { return e.Code }

// ErrorMessage implements [smithy.APIError].
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorFault implements [smithy.APIError].
func (e *Error) ErrorFault() smithy.ErrorFault {
	if e.HTTPStatusCode() >= http.StatusInternalServerError {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// HTTPStatusCode is the status that the error is answered with.
func (e *Error) HTTPStatusCode() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}
