package codecommit

import (
	"strings"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// stateChange is the detail of an event about a ref.
// https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
type stateChange struct {
	Event             string `json:"event"`
	RepositoryName    string `json:"repositoryName"`
	RepositoryID      string `json:"repositoryId"`
	ReferenceType     string `json:"referenceType"`
	ReferenceName     string `json:"referenceName"`
	ReferenceFullName string `json:"referenceFullName"`
	CommitID          string `json:"commitId,omitempty"`
	OldCommitID       string `json:"oldCommitId,omitempty"`
	CallerUserArn     string `json:"callerUserArn"`
}

// pushed emits the event of a ref that changed, if it is a branch or a tag.
func (s *Service) pushed(id string, update gitserver.Update) {
	s.mu.Lock()
	var r *repository
	for _, other := range s.repositories {
		if other.ID == id {
			r = other
		}
	}
	events := s.events
	if r == nil {
		s.mu.Unlock()
		return
	}
	r.Modified = time.Now().UTC()
	detail := stateChange{
		RepositoryName: r.Name, RepositoryID: r.ID, ReferenceFullName: update.Ref,
		CallerUserArn: "arn:aws:iam::" + s.options.Account + ":user/sandbox",
	}
	arn := s.arn(r)
	s.mu.Unlock()
	s.options.Changed()

	if !detail.setReference(update) || events == nil {
		return
	}
	events.Emit("aws.codecommit", "CodeCommit Repository State Change", []string{arn}, detail)
}

// setReference says what happened to which ref; false if CodeCommit tells of none
// such.
func (d *stateChange) setReference(update gitserver.Update) bool {
	var found bool
	if d.ReferenceName, found = strings.CutPrefix(update.Ref, heads); found {
		d.ReferenceType = "branch"
	} else if d.ReferenceName, found = strings.CutPrefix(update.Ref, "refs/tags/"); found {
		d.ReferenceType = "tag"
	} else {
		return false
	}
	none := func(id string) bool { return strings.Trim(id, "0") == "" }
	d.Event = "referenceUpdated"
	if none(update.Before) {
		d.Event = "referenceCreated"
	} else {
		d.OldCommitID = update.Before
	}
	if none(update.After) {
		d.Event = "referenceDeleted"
	} else {
		d.CommitID = update.After
	}
	return true
}
