package codecommit

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway"
)

// What a repository may not have. errors.Is finds them in this package's errors.
var (
	ErrNoRepository = errors.New("no such repository")
	ErrNoBranch     = errors.New("no such branch")
	ErrNoCommit     = errors.New("no such commit")
	ErrNoFile       = errors.New("no such file")
)

// passing are the errors that the SDK tries again.
var passing = retry.IsErrorRetryables(retry.DefaultRetryables)

// explain says what to do about an error of CodeCommit's. Those that it names are
// documented for the actions,
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Operations.html.
func (r *Repository) explain(err error, doing, action string) error {
	e := &slipway.Error{Next: slipway.NextPerson, Message: fmt.Sprintf("cannot %s in the repository %s of CodeCommit", doing, r.name), Err: err}
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		e.Err = answer
	}
	switch {
	case is[*types.RepositoryDoesNotExistException](err):
		e.Kind, e.Hint = ErrNoRepository, "check the name "+r.name+", the region and the account"
	case is[*types.BranchDoesNotExistException](err):
		e.Kind, e.Hint = ErrNoBranch, "check the branch's name; the article's repositories use master"
	case is[*types.CommitDoesNotExistException](err):
		e.Kind, e.Hint = ErrNoCommit, "check the commit or the branch; the article's repositories use master"
	case is[*types.FileDoesNotExistException](err):
		e.Kind, e.Hint = ErrNoFile, "commit the file first"
	case passing.IsErrorRetryable(err) == aws.TrueTernary:
		e.Next = slipway.NextRetry
	default:
		e.Hint = "check the AWS credentials and region, and that they allow " + action
	}
	return e
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
