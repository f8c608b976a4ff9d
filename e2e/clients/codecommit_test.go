//go:build e2e

package clients

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCodeCommit reads and writes the deployment repository with the AWS CLI and
// with git, side by side, and hears of each commit from a queue.
func TestCodeCommit(t *testing.T) {
	need(t, "aws")
	need(t, "git")
	need(t, "jq")
	_, env := world(t)
	dir := t.TempDir()
	env = append(env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=Jo", "GIT_AUTHOR_EMAIL=jo@example.com",
		"GIT_COMMITTER_NAME=Jo", "GIT_COMMITTER_EMAIL=jo@example.com", "AWS_DEFAULT_OUTPUT=text")
	sh := func(script string) string {
		t.Helper()
		out, errs, err := run(t, env, dir, "sh", "-euc", script)
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", script, err, out, errs)
		}
		return strings.TrimSpace(out)
	}
	const file = "cluster1/webapp1/revision.json"

	// The article's way to read the image.
	read := `aws codecommit get-file --repository-name deployment --file-path ` + file + ` --output json | jq -r .fileContent | base64 -d | jq -r '.[0].imageUri'`
	if got := sh(read); got != "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.0.0" {
		t.Errorf("the image is %q", got)
	}
	// Version 1 of the CLI takes SQS's address from the variable only if told to.
	sh(`aws --endpoint-url "$AWS_ENDPOINT_URL" sqs create-queue --queue-name commits
		aws events put-rule --name commits --event-pattern '{"source": ["aws.codecommit"], "detail": {"referenceName": ["main"]}}'
		aws events put-targets --rule commits --targets Id=queue,Arn=arn:aws:sqs:eu-west-1:111122223333:commits`)
	heard := func(was, is string) {
		t.Helper()
		var received struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		out := sh(`aws --endpoint-url "$AWS_ENDPOINT_URL" sqs receive-message --queue-url "$(aws --endpoint-url "$AWS_ENDPOINT_URL" sqs get-queue-url --queue-name commits)" --wait-time-seconds 20 --output json`)
		if err := json.Unmarshal([]byte(out), &received); err != nil || len(received.Messages) != 1 {
			t.Fatalf("no event: %s, %v", out, err)
		}
		var event struct {
			Detail struct{ CommitID, OldCommitID, Event string }
		}
		if err := json.Unmarshal([]byte(received.Messages[0].Body), &event); err != nil {
			t.Fatal(err)
		}
		if event.Detail.OldCommitID != was || event.Detail.CommitID != is || event.Detail.Event != "referenceUpdated" {
			t.Errorf("the event is %s", received.Messages[0].Body)
		}
		sh(`aws --endpoint-url "$AWS_ENDPOINT_URL" sqs delete-message --queue-url "$(aws --endpoint-url "$AWS_ENDPOINT_URL" sqs get-queue-url --queue-name commits)" --receipt-handle '` + received.Messages[0].ReceiptHandle + `'`)
	}

	// A commit through the API is there for git.
	first := sh(`aws codecommit get-branch --repository-name deployment --branch-name main --query branch.commitId`)
	if err := os.WriteFile(filepath.Join(dir, "revision.json"), []byte(`[{"name": "webapp1", "imageUri": "webapp1:2.0.0"}]`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	second := sh(`aws codecommit put-file --repository-name deployment --branch-name main --file-path ` + file + ` --file-content fileb://revision.json \
		--parent-commit-id ` + first + ` --commit-message 'Deploy webapp1:2.0.0' --query commitId`)
	heard(first, second)
	sh(`git clone --quiet "$(aws codecommit get-repository --repository-name deployment --query repositoryMetadata.cloneUrlHttp)" clone`)
	if got := sh(`git -C clone log -1 --format='%H %s'`); got != second+" Deploy webapp1:2.0.0" {
		t.Errorf("git sees %q", got)
	}

	// A push is there for the API.
	third := sh(`cd clone
		echo '[{"name": "webapp1", "imageUri": "webapp1:3.0.0"}]' >` + file + `
		git commit --quiet --all --message='Deploy webapp1:3.0.0'
		git push --quiet
		git rev-parse HEAD`)
	heard(second, third)
	if got := sh(read); got != "webapp1:3.0.0" {
		t.Errorf("the image is %q", got)
	}
	if got := sh(`aws codecommit get-differences --repository-name deployment --before-commit-specifier ` + first + ` --after-commit-specifier main \
		--query 'differences[].[changeType, afterBlob.path]'`); got != "M\t"+file {
		t.Errorf("the difference is %q", got)
	}
	// The CLI asks for page after page.
	if got := sh(`aws codecommit get-differences --repository-name deployment --after-commit-specifier main --page-size 3 --output json --query 'length(differences)'`); got != "8" {
		t.Errorf("of all eight files %q came", got)
	}
	if _, errs, err := run(t, env, dir, "aws", "codecommit", "put-file", "--repository-name", "deployment", "--branch-name", "main", "--file-path", file,
		"--file-content", "fileb://revision.json", "--parent-commit-id", first); err == nil || !strings.Contains(errs, "(ParentCommitIdOutdatedException)") {
		t.Errorf("a commit on an old one: %v\n%s", err, errs)
	}

	// A repository of one's own.
	sh(`aws codecommit create-repository --repository-name other --tags a=b
		git init --quiet --initial-branch=trunk other && cd other && echo x >a && git add a && git commit --quiet --message=Begin
		git push --quiet "$(aws codecommit get-repository --repository-name other --query repositoryMetadata.cloneUrlHttp)" trunk`)
	if got := sh(`aws codecommit get-repository --repository-name other --query repositoryMetadata.defaultBranch`); got != "trunk" {
		t.Errorf("the default branch is %q", got)
	}
	sh(`aws codecommit delete-repository --repository-name other`)
}
