package sandboxtest

import (
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
)

// Repository makes an empty repository of CodeCommit's and returns its folder: bare,
// for git.
func (w *World) Repository(name string) string {
	w.t.Helper()
	client := w.CodeCommit()
	if _, err := client.CreateRepository(w.t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String(name)}); err != nil {
		w.t.Fatal(err)
	}
	return filepath.Join(w.dir, name+".git")
}

// Pushed has CodeCommit notice what git pushed into a repository's folder, and tell of
// it as of a push over the network, which a test in a bubble has not.
func (w *World) Pushed(name string) {
	w.t.Helper()
	repository, err := w.Around().CodeCommit.Adopt(w.t.Context(), name, "")
	if err == nil {
		err = repository.Look(w.t.Context(), endpoint+"/v1/repos/"+name)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
