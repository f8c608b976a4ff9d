package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	commits "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/smithy-go"
)

// source finds the commit of a CodeCommit action: the head of the branch when the
// action runs, or the one that the execution was started with.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
func (s *Service) source(ctx context.Context, w *work) outcome {
	repository, branch := w.configuration["RepositoryName"], w.configuration["BranchName"]
	id := w.override
	if id == "" {
		head, err := w.head(ctx, repository, branch)
		if err != nil {
			return failure(codeRevision, "%s", message(err))
		}
		id = head
	}
	out, err := w.ports.CodeCommit.GetCommit(ctx, &codecommit.GetCommitInput{RepositoryName: &repository, CommitId: &id})
	if err != nil {
		return failure(codeRevision, "%s", message(err))
	}
	for _, made := range w.outputs {
		w.by.archived(repository, made)
	}
	said, authored, committed := aws.ToString(out.Commit.Message), dateOf(out.Commit.Author), dateOf(out.Commit.Committer)
	at := fmt.Sprintf("https://console.aws.amazon.com/codesuite/codecommit/repositories/%s/commit/%s?region=%s", url.PathEscape(repository), id, s.options.Region)
	return outcome{done: true, update: func(a *actionRun) {
		for i := range a.Outputs {
			a.Outputs[i].Repository, a.Outputs[i].Commit = repository, id
			a.Revision = &types.ArtifactRevision{
				Name: aws.String(a.Outputs[i].Name), RevisionId: aws.String(id), RevisionChangeIdentifier: aws.String(id),
				RevisionSummary: aws.String(summary(said)), Created: aws.Time(committed), RevisionUrl: aws.String(at),
			}
		}
		a.ExternalID, a.ExternalURL = id, at
		a.OutputVariables = map[string]string{
			"CommitId": id, "CommitMessage": said, "RepositoryName": repository, "BranchName": branch,
			"AuthorDate": authored.UTC().Format(time.RFC3339), "CommitterDate": committed.UTC().Format(time.RFC3339),
		}
	}}
}

// summaryMost is how many characters a revision's summary has at most.
const summaryMost = 2048

func summary(message string) string {
	if runes := []rune(message); len(runes) > summaryMost {
		return string(runes[:summaryMost])
	}
	return message
}

// head is the last commit of a branch.
func (w *work) head(ctx context.Context, repository, branch string) (string, error) {
	out, err := w.ports.CodeCommit.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &repository, BranchName: &branch})
	if codeOf(err) == "BranchDoesNotExistException" {
		return "", fmt.Errorf("The action failed because no branch named %s was found in the selected AWS CodeCommit repository %s. Make sure you are using the correct branch name, and then try again. Error: null", branch, repository) //nolint:staticcheck // AWS's words
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Branch.CommitId), nil
}

// dateOf is when a person did something, as CodeCommit writes it: seconds and a
// zone.
func dateOf(who *commits.UserInfo) time.Time {
	if who == nil {
		return time.Time{}
	}
	text, _, _ := strings.Cut(aws.ToString(who.Date), " ")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// codeOf is an AWS error's code, empty if it is none.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// message is what an error says, without an AWS error's code.
func message(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return err.Error()
}
