package git

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/slipway-cd/slipway"
)

// Explain turns a failed command on a repository into an error that says what
// to do. Errors that are no Failure are returned as they are.
func Explain(err error, where Location) error {
	failure, ok := errors.AsType[*Failure](err)
	if !ok {
		return err
	}
	if missing(failure.Err) {
		return &slipway.Error{
			Next: slipway.NextPerson, Message: "the git program was not found", Err: failure.Err,
			Hint: "install git 2.31 or newer and see that it is in PATH",
		}
	}
	for _, known := range knownFailures() {
		for _, words := range known.words {
			if strings.Contains(failure.Stderr, words) {
				return &slipway.Error{
					Next: known.next, Hint: known.hint,
					Message: fmt.Sprintf("%s: %s: %s", where, known.message, failure.said()),
				}
			}
		}
	}
	return &slipway.Error{Next: slipway.NextRetry, Message: where.String(), Err: failure}
}

// missing reports that the git binary itself could not be found; a missing
// folder is another matter.
func missing(err error) bool {
	if _, ok := errors.AsType[*exec.Error](err); ok {
		return true
	}
	path, ok := errors.AsType[*os.PathError](err)
	return ok && path.Op == "fork/exec" && errors.Is(err, os.ErrNotExist)
}

type knownFailure struct {
	words         []string // in git's or ssh's own words; the first that matches counts
	next          slipway.Next
	message, hint string
}

// knownFailures are in order: ssh's refusal, for one, is followed by git's
// guess that the repository may not exist.
func knownFailures() []knownFailure {
	return []knownFailure{
		{
			words: []string{"dubious ownership"},
			next:  slipway.NextPerson, message: "git does not trust the folder, for it belongs to somebody else",
			hint: "run as its owner, or: git config --global --add safe.directory FOLDER",
		},
		{
			words: []string{"Host key verification failed"},
			next:  slipway.NextPerson, message: "the host's ssh key is not known",
			hint: "check the key and add it to known_hosts, for example with ssh-keyscan",
		},
		{
			words: []string{
				"Authentication failed", "could not read Username", "could not read Password", "Permission denied (",
				"returned error: 401", "returned error: 403", "Invalid username or password",
			},
			next: slipway.NextPerson, message: "authentication was refused",
			hint: "give git credentials that may use this repository: a credential helper, an ssh key, or user and token in the URL",
		},
		{
			words: []string{"SSL certificate problem", "server certificate verification failed", "certificate verify failed"},
			next:  slipway.NextPerson, message: "the server's certificate is not trusted",
			hint: "give git the certificate authority: git config --global http.sslCAInfo FILE",
		},
		{
			words: []string{"not a git repository", "does not appear to be a git repository", "not found", "returned error: 404", "not valid: is this a git repository"},
			next:  slipway.NextUsage, message: "there is no git repository that we may see",
			hint: "check the URL or the folder; some hosts also say so when the credentials may not see it",
		},
		{
			words: []string{
				"Could not resolve host", "Failed to connect", "Couldn't connect", "Connection refused", "onnection timed out",
				"Network is unreachable", "No route to host", "Connection reset", "hung up unexpectedly", "early EOF", "returned error: 5",
				"unable to access", "Could not read from remote repository",
			},
			next: slipway.NextRetry, message: "the repository is unreachable",
			hint: "check the URL, the network and any proxy",
		},
	}
}
