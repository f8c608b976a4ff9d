package codecommit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

var deployment = aws.String("deployment")

// repository makes the repository "deployment" with a first commit on master, and
// returns that commit's id.
func repository(t *testing.T, client *codecommit.Client, files ...string) (first string) {
	t.Helper()
	if _, err := client.CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: deployment}); err != nil {
		t.Fatal(err)
	}
	in := &codecommit.CreateCommitInput{RepositoryName: deployment, BranchName: aws.String("master"), CommitMessage: aws.String("Begin")}
	for _, file := range files {
		in.PutFiles = append(in.PutFiles, types.PutFileEntry{FilePath: &file, FileContent: []byte(file)})
	}
	out, err := client.CreateCommit(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.CommitId
}

// put puts a file on a branch.
func put(t *testing.T, client *codecommit.Client, branch, parent, file, content string) (commit string) {
	t.Helper()
	in := &codecommit.PutFileInput{RepositoryName: deployment, BranchName: &branch, FilePath: &file, FileContent: []byte(content)}
	if parent != "" {
		in.ParentCommitId = &parent
	}
	out, err := client.PutFile(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.CommitId
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

// code is the error's code.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// second is the error of two results.
func second[T any](_ T, err error) error { return err }

func TestRepositories(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx, begun := w.CodeCommit(), t.Context(), time.Now()
		created, err := client.CreateRepository(ctx, &codecommit.CreateRepositoryInput{
			RepositoryName: deployment, RepositoryDescription: aws.String("what runs"), Tags: map[string]string{"a": "b"},
		})
		if err != nil {
			t.Fatal(err)
		}
		m := created.RepositoryMetadata
		if *m.Arn != "arn:aws:codecommit:ca-central-1:111122223333:deployment" || m.DefaultBranch != nil || *m.AccountId != sandboxtest.Account ||
			*m.CloneUrlHttp != "http://sandbox.example.com/v1/repos/deployment" || m.CreationDate.Before(begun) || m.CreationDate.After(time.Now()) || aws.ToString(m.KmsKeyId) == "" {
			t.Errorf("%+v", m)
		}
		// The first branch becomes the default one, whatever its name.
		put(t, client, "trunk", "", "a", "1")
		got, err := client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: deployment})
		if err != nil || *got.RepositoryMetadata.DefaultBranch != "trunk" || *got.RepositoryMetadata.RepositoryDescription != "what runs" {
			t.Error(got, err)
		}

		wait(time.Minute)
		if _, err := client.UpdateRepositoryDescription(ctx, &codecommit.UpdateRepositoryDescriptionInput{RepositoryName: deployment}); err != nil {
			t.Fatal(err)
		}
		key, err := client.UpdateRepositoryEncryptionKey(ctx, &codecommit.UpdateRepositoryEncryptionKeyInput{RepositoryName: deployment, KmsKeyId: aws.String("alias/own")})
		if err != nil || *key.OriginalKmsKeyId != *m.KmsKeyId || *key.RepositoryId != *m.RepositoryId {
			t.Error(key, err)
		}
		if _, err := client.UpdateRepositoryName(ctx, &codecommit.UpdateRepositoryNameInput{OldName: deployment, NewName: aws.String("renamed")}); err != nil {
			t.Fatal(err)
		}
		w.Restart()
		client = w.CodeCommit()
		got, err = client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: aws.String("renamed")})
		if err != nil {
			t.Fatal(err)
		}
		after := got.RepositoryMetadata
		if *after.RepositoryId != *m.RepositoryId || after.RepositoryDescription != nil || *after.KmsKeyId != "alias/own" || *after.DefaultBranch != "trunk" ||
			!after.CreationDate.Equal(*m.CreationDate) || after.LastModifiedDate.Sub(*after.CreationDate) != time.Minute {
			t.Errorf("%+v", after)
		}

		if _, err := client.TagResource(ctx, &codecommit.TagResourceInput{ResourceArn: after.Arn, Tags: map[string]string{"c": "d"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.UntagResource(ctx, &codecommit.UntagResourceInput{ResourceArn: after.Arn, TagKeys: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		tags, err := client.ListTagsForResource(ctx, &codecommit.ListTagsForResourceInput{ResourceArn: after.Arn})
		if err != nil || !cmp.Equal(tags.Tags, map[string]string{"c": "d"}) {
			t.Error(tags, err)
		}

		// A new one of the old name begins empty.
		if _, err := client.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: deployment}); err != nil {
			t.Fatal(err)
		}
		branches, err := client.ListBranches(ctx, &codecommit.ListBranchesInput{RepositoryName: deployment})
		if err != nil || len(branches.Branches) != 0 {
			t.Error(branches, err)
		}
		list, err := client.ListRepositories(ctx, &codecommit.ListRepositoriesInput{})
		if err != nil || len(list.Repositories) != 2 || *list.Repositories[0].RepositoryName != "deployment" {
			t.Error(list, err)
		}
		several, err := client.BatchGetRepositories(ctx, &codecommit.BatchGetRepositoriesInput{RepositoryNames: []string{"renamed", "never was"}})
		if err != nil || len(several.Repositories) != 1 || !slices.Equal(several.RepositoriesNotFound, []string{"never was"}) {
			t.Error(several, err)
		}
		gone, err := client.DeleteRepository(ctx, &codecommit.DeleteRepositoryInput{RepositoryName: aws.String("renamed")})
		if err != nil || *gone.RepositoryId != *m.RepositoryId {
			t.Error(gone, err)
		}
		if gone, err = client.DeleteRepository(ctx, &codecommit.DeleteRepositoryInput{RepositoryName: aws.String("renamed")}); err != nil || gone.RepositoryId != nil {
			t.Error(gone, err)
		}

		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"gone":        {second(client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: aws.String("renamed")})), "RepositoryDoesNotExistException"},
			"twice":       {second(client.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: deployment})), "RepositoryNameExistsException"},
			"bad name":    {second(client.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: aws.String("a b")})), "InvalidRepositoryNameException"},
			"dot git":     {second(client.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: aws.String("a.git")})), "InvalidRepositoryNameException"},
			"description": {second(client.UpdateRepositoryDescription(ctx, &codecommit.UpdateRepositoryDescriptionInput{RepositoryName: deployment, RepositoryDescription: aws.String(strings.Repeat("x", 1001))})), "InvalidRepositoryDescriptionException"},
			"bad arn":     {second(client.ListTagsForResource(ctx, &codecommit.ListTagsForResourceInput{ResourceArn: aws.String("arn:x")})), "InvalidResourceArnException"},
			"no commit":   {second(client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("a")})), "CommitDoesNotExistException"},
			"no branch":   {second(client.UpdateDefaultBranch(ctx, &codecommit.UpdateDefaultBranchInput{RepositoryName: deployment, DefaultBranchName: aws.String("x")})), "BranchDoesNotExistException"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
	})
}

func TestBranches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.CodeCommit(), t.Context()
		first := repository(t, client, "a")
		create := func(name, commit string) error {
			return second(client.CreateBranch(ctx, &codecommit.CreateBranchInput{RepositoryName: deployment, BranchName: &name, CommitId: &commit}))
		}
		if err := create("feature/x", first); err != nil {
			t.Fatal(err)
		}
		second1 := put(t, client, "feature/x", first, "b", "1")
		branch, err := client.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: deployment, BranchName: aws.String("feature/x")})
		if err != nil || *branch.Branch.CommitId != second1 || *branch.Branch.BranchName != "feature/x" {
			t.Error(branch, err)
		}
		list, err := client.ListBranches(ctx, &codecommit.ListBranchesInput{RepositoryName: deployment})
		if err != nil || !slices.Equal(list.Branches, []string{"feature/x", "master"}) {
			t.Error(list, err)
		}
		remove := func(name string) (*codecommit.DeleteBranchOutput, error) {
			return client.DeleteBranch(ctx, &codecommit.DeleteBranchInput{RepositoryName: deployment, BranchName: &name})
		}
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"twice":       {create("master", first), "BranchNameExistsException"},
			"no commit":   {create("new", strings.Repeat("0", 40)), "CommitDoesNotExistException"},
			"bad commit":  {create("new", "abc"), "InvalidCommitIdException"},
			"bad name":    {create("a..b", first), "InvalidBranchNameException"},
			"an id":       {create(first, first), "InvalidBranchNameException"},
			"the default": {second(remove("master")), "DefaultBranchCannotBeDeletedException"},
			"none":        {second(client.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: deployment, BranchName: aws.String("x")})), "BranchDoesNotExistException"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
		if _, err := client.UpdateDefaultBranch(ctx, &codecommit.UpdateDefaultBranchInput{RepositoryName: deployment, DefaultBranchName: aws.String("feature/x")}); err != nil {
			t.Fatal(err)
		}
		if gone, err := remove("master"); err != nil || *gone.DeletedBranch.CommitId != first {
			t.Error(gone, err)
		}
		if gone, err := remove("master"); err != nil || gone.DeletedBranch != nil {
			t.Error(gone, err)
		}
	})
}

// TestCommits: what is written is read back, by every name of its commit.
func TestCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.CodeCommit(), t.Context()
		first := repository(t, client, "cluster1/webapp1/revision.json", "cluster1/webapp2/revision.json")
		wait(time.Hour)
		out, err := client.PutFile(ctx, &codecommit.PutFileInput{
			RepositoryName: deployment, BranchName: aws.String("master"), ParentCommitId: &first, FilePath: aws.String("/cluster1/webapp1/revision.json"), FileContent: []byte("\x00new\n"),
			CommitMessage: aws.String("Deploy 2.0.0\n\nSigned"), Name: aws.String("Jo <x>"), Email: aws.String("jo@example.com"),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, specifier := range []*string{nil, aws.String("master"), aws.String("refs/heads/master"), aws.String("HEAD"), out.CommitId} {
			file, err := client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("cluster1/webapp1/revision.json"), CommitSpecifier: specifier})
			if err != nil {
				t.Fatal(err)
			}
			if string(file.FileContent) != "\x00new\n" || file.FileSize != 5 || *file.BlobId != *out.BlobId || *file.CommitId != *out.CommitId || file.FileMode != types.FileModeTypeEnumNormal {
				t.Errorf("%s: %+v", aws.ToString(specifier), file)
			}
		}
		old, err := client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("cluster1/webapp1/revision.json"), CommitSpecifier: &first})
		if err != nil || string(old.FileContent) != "cluster1/webapp1/revision.json" {
			t.Error(old, err)
		}
		blob, err := client.GetBlob(ctx, &codecommit.GetBlobInput{RepositoryName: deployment, BlobId: out.BlobId})
		if err != nil || string(blob.Content) != "\x00new\n" {
			t.Error(blob, err)
		}

		commit, err := client.GetCommit(ctx, &codecommit.GetCommitInput{RepositoryName: deployment, CommitId: out.CommitId})
		if err != nil {
			t.Fatal(err)
		}
		c := commit.Commit
		if *c.Message != "Deploy 2.0.0\n\nSigned" || !slices.Equal(c.Parents, []string{first}) || *c.TreeId != *out.TreeId ||
			*c.Author.Name != "Jo x" || *c.Author.Email != "jo@example.com" || *c.Author.Date != fmt.Sprint(time.Now().Unix(), " +0000") || *c.Committer.Name != "Jo x" {
			t.Errorf("%+v %+v", c, c.Author)
		}
		batch, err := client.BatchGetCommits(ctx, &codecommit.BatchGetCommitsInput{RepositoryName: deployment, CommitIds: []string{first, "x", strings.Repeat("0", 40), *out.CommitId}})
		if err != nil || len(batch.Commits) != 2 || *batch.Commits[0].CommitId != first || len(batch.Errors) != 2 || *batch.Errors[1].ErrorCode != "CommitIdDoesNotExistException" {
			t.Error(batch, err)
		}

		folder, err := client.GetFolder(ctx, &codecommit.GetFolderInput{RepositoryName: deployment, FolderPath: aws.String("/cluster1")})
		if err != nil || len(folder.SubFolders) != 2 || *folder.SubFolders[1].AbsolutePath != "cluster1/webapp2" || *folder.SubFolders[1].RelativePath != "webapp2" || len(folder.Files) != 0 {
			t.Error(folder, err)
		}
		if folder, err = client.GetFolder(ctx, &codecommit.GetFolderInput{RepositoryName: deployment, FolderPath: aws.String("cluster1/webapp1")}); err != nil ||
			len(folder.Files) != 1 || *folder.Files[0].BlobId != *out.BlobId || *folder.Files[0].AbsolutePath != "cluster1/webapp1/revision.json" {
			t.Error(folder, err)
		}

		in := func(changes ...func(*codecommit.PutFileInput)) error {
			in := &codecommit.PutFileInput{
				RepositoryName: deployment, BranchName: aws.String("master"), ParentCommitId: out.CommitId, FilePath: aws.String("cluster1/webapp1/revision.json"), FileContent: []byte("\x00new\n"),
			}
			for _, change := range changes {
				change(in)
			}
			return second(client.PutFile(ctx, in))
		}
		path := func(path string) func(*codecommit.PutFileInput) {
			return func(in *codecommit.PutFileInput) { in.FilePath = &path }
		}
		parent := func(parent *string) func(*codecommit.PutFileInput) {
			return func(in *codecommit.PutFileInput) { in.ParentCommitId = parent }
		}
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"the same":       {in(), "SameFileContentException"},
			"no parent":      {in(parent(nil)), "ParentCommitIdRequiredException"},
			"old parent":     {in(parent(&first)), "ParentCommitIdOutdatedException"},
			"unknown parent": {in(parent(aws.String(strings.Repeat("1", 40)))), "ParentCommitDoesNotExistException"},
			"bad parent":     {in(parent(aws.String("master"))), "InvalidParentCommitIdException"},
			"a folder":       {in(path("cluster1/webapp1")), "FileNameConflictsWithDirectoryNameException"},
			"below a file":   {in(path("cluster1/webapp1/revision.json/x")), "DirectoryNameConflictsWithFileNameException"},
			"bad path":       {in(path("../x")), "InvalidPathException"},
			"empty":          {in(func(in *codecommit.PutFileInput) { in.FileContent = []byte{} }), "FileContentRequiredException"},
			"large":          {in(func(in *codecommit.PutFileInput) { in.FileContent = make([]byte, 6<<20+1) }), "FileContentSizeLimitExceededException"},
			"mode":           {in(func(in *codecommit.PutFileInput) { in.FileMode = "X" }), "InvalidFileModeException"},
			"no branch":      {in(func(in *codecommit.PutFileInput) { in.BranchName = aws.String("x") }), "BranchDoesNotExistException"},
			"no file":        {second(client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("x")})), "FileDoesNotExistException"},
			"no such commit": {second(client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("x"), CommitSpecifier: aws.String("x")})), "CommitDoesNotExistException"},
			"bad specifier":  {second(client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("x"), CommitSpecifier: aws.String("a:b")})), "InvalidCommitException"},
			"no folder":      {second(client.GetFolder(ctx, &codecommit.GetFolderInput{RepositoryName: deployment, FolderPath: aws.String("x")})), "FolderDoesNotExistException"},
			"no blob":        {second(client.GetBlob(ctx, &codecommit.GetBlobInput{RepositoryName: deployment, BlobId: &first})), "BlobIdDoesNotExistException"},
			"commit gone":    {second(client.GetCommit(ctx, &codecommit.GetCommitInput{RepositoryName: deployment, CommitId: out.BlobId})), "CommitIdDoesNotExistException"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
		if file, err := client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: aws.String("cluster1/x")}); err == nil || !strings.Contains(err.Error(), "Could not find path cluster1/x") {
			t.Error(file, err)
		}
	})
}

// TestCreateCommit: a commit of many changes, and one that would be none.
func TestCreateCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.CodeCommit(), t.Context()
		first := repository(t, client, "a/1", "b/1", "b/2", "c")
		in := func() *codecommit.CreateCommitInput {
			return &codecommit.CreateCommitInput{RepositoryName: deployment, BranchName: aws.String("master"), ParentCommitId: &first}
		}
		change := in()
		change.KeepEmptyFolders = true
		change.PutFiles = []types.PutFileEntry{
			{FilePath: aws.String(`odd "name" \ é`), FileContent: []byte("x"), FileMode: types.FileModeTypeEnumExecutable},
			{FilePath: aws.String("b/1"), FileContent: []byte("new")},
			{FilePath: aws.String("d"), SourceFile: &types.SourceFileSpecifier{FilePath: aws.String("c"), IsMove: true}},
		}
		change.DeleteFiles = []types.DeleteFileEntry{{FilePath: aws.String("a/1")}}
		change.SetFileModes = []types.SetFileModeEntry{{FilePath: aws.String("b/2"), FileMode: types.FileModeTypeEnumExecutable}}
		out, err := client.CreateCommit(ctx, change)
		if err != nil {
			t.Fatal(err)
		}
		names := func(files []types.FileMetadata) (names []string) {
			for _, f := range files {
				names = append(names, *f.AbsolutePath)
			}
			return names
		}
		want := [][]string{{"a/.gitkeep", "d", `odd "name" \ é`}, {"b/1", "b/2"}, {"a/1", "c"}}
		if diff := cmp.Diff(want, [][]string{names(out.FilesAdded), names(out.FilesUpdated), names(out.FilesDeleted)}); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		for path, want := range map[string]string{`odd "name" \ é`: "EXECUTABLE x", "b/1": "NORMAL new", "b/2": "EXECUTABLE b/2", "d": "NORMAL c"} {
			file, err := client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: &path})
			if err != nil || string(file.FileMode)+" "+string(file.FileContent) != want {
				t.Errorf("%s: %+v, %v", path, file, err)
			}
		}
		first = *out.CommitId
		none, same, both, nothing := in(), in(), in(), in()
		none.PutFiles = []types.PutFileEntry{{FilePath: aws.String("d"), FileContent: []byte("c")}}
		same.PutFiles = []types.PutFileEntry{{FilePath: aws.String("d"), FileContent: []byte("1")}, {FilePath: aws.String("d"), FileContent: []byte("2")}}
		both.PutFiles = []types.PutFileEntry{{FilePath: aws.String("d"), FileContent: []byte("1"), SourceFile: &types.SourceFileSpecifier{FilePath: aws.String("c")}}}
		for what, c := range map[string]struct {
			in   *codecommit.CreateCommitInput
			code string
		}{
			"no change": {none, "NoChangeException"}, "the same path": {same, "SamePathRequestException"},
			"both": {both, "FileContentAndSourceFileSpecifiedException"}, "nothing": {nothing, "FileEntryRequiredException"},
		} {
			if _, err := client.CreateCommit(ctx, c.in); code(err) != c.code {
				t.Errorf("%s: %v, want %s", what, err, c.code)
			}
		}
		gone, err := client.DeleteFile(ctx, &codecommit.DeleteFileInput{RepositoryName: deployment, BranchName: aws.String("master"), ParentCommitId: &first, FilePath: aws.String("d")})
		if err != nil || *gone.FilePath != "d" {
			t.Fatal(gone, err)
		}
		if _, err := client.DeleteFile(ctx, &codecommit.DeleteFileInput{RepositoryName: deployment, BranchName: aws.String("master"), ParentCommitId: gone.CommitId, FilePath: aws.String("d")}); code(err) != "FileDoesNotExistException" {
			t.Error(err)
		}
	})
}

// differences are "A path" and so on, over all pages.
func differences(t *testing.T, client *codecommit.Client, in codecommit.GetDifferencesInput) (all []string, pages int) {
	t.Helper()
	in.RepositoryName = deployment
	p := codecommit.NewGetDifferencesPaginator(client, &in)
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, d := range out.Differences {
			blob := d.AfterBlob
			if blob == nil {
				blob = d.BeforeBlob
			}
			all = append(all, string(d.ChangeType)+" "+*blob.Path)
		}
	}
	return all, pages
}

func TestDifferences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.CodeCommit(), t.Context()
		var files, want []string
		for i := range 250 {
			files = append(files, fmt.Sprintf("app%03d/revision.json", i))
			want = append(want, "A "+files[i])
		}
		first := repository(t, client, files...)
		// A new branch has no commit before.
		got, pages := differences(t, client, codecommit.GetDifferencesInput{AfterCommitSpecifier: aws.String("master")})
		if diff := cmp.Diff(want, got); diff != "" || pages != 3 {
			t.Errorf("%d pages, differences (-want +got):\n%s", pages, diff)
		}
		if got, pages = differences(t, client, codecommit.GetDifferencesInput{AfterCommitSpecifier: aws.String("master"), MaxResults: aws.Int32(50)}); len(got) != 250 || pages != 5 {
			t.Errorf("%d differences in %d pages", len(got), pages)
		}
		out, err := client.CreateCommit(ctx, &codecommit.CreateCommitInput{
			RepositoryName: deployment, BranchName: aws.String("master"), ParentCommitId: &first,
			PutFiles: []types.PutFileEntry{
				{FilePath: aws.String("app001/revision.json"), FileContent: []byte("new")},
				{FilePath: aws.String("app002/moved.json"), SourceFile: &types.SourceFileSpecifier{FilePath: aws.String("app002/revision.json"), IsMove: true}},
			},
			DeleteFiles: []types.DeleteFileEntry{{FilePath: aws.String("app003/revision.json")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			in   codecommit.GetDifferencesInput
			want []string
		}{
			{codecommit.GetDifferencesInput{BeforeCommitSpecifier: &first, AfterCommitSpecifier: out.CommitId}, []string{"M app001/revision.json", "A app002/moved.json", "D app002/revision.json", "D app003/revision.json"}},
			{codecommit.GetDifferencesInput{BeforeCommitSpecifier: out.CommitId, AfterCommitSpecifier: &first}, []string{"M app001/revision.json", "D app002/moved.json", "A app002/revision.json", "A app003/revision.json"}},
			{codecommit.GetDifferencesInput{BeforeCommitSpecifier: &first, AfterCommitSpecifier: &first}, nil},
			{codecommit.GetDifferencesInput{BeforeCommitSpecifier: &first, AfterCommitSpecifier: aws.String("master"), AfterPath: aws.String("app002")}, []string{"A app002/moved.json", "D app002/revision.json"}},
			{codecommit.GetDifferencesInput{BeforeCommitSpecifier: &first, AfterCommitSpecifier: aws.String("master"), BeforePath: aws.String("app003/revision.json")}, []string{"D app003/revision.json"}},
			{codecommit.GetDifferencesInput{BeforeCommitSpecifier: &first, AfterCommitSpecifier: aws.String("master"), BeforePath: aws.String("app005"), AfterPath: aws.String("app006")}, []string{"M app006/revision.json"}},
		} {
			if got, _ := differences(t, client, c.in); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		}
		for what, c := range map[string]struct {
			in   codecommit.GetDifferencesInput
			code string
		}{
			"no commit": {codecommit.GetDifferencesInput{AfterCommitSpecifier: aws.String("x")}, "CommitDoesNotExistException"},
			"no path":   {codecommit.GetDifferencesInput{AfterCommitSpecifier: &first, AfterPath: aws.String("x")}, "PathDoesNotExistException"},
			"token":     {codecommit.GetDifferencesInput{AfterCommitSpecifier: &first, NextToken: aws.String("x")}, "InvalidContinuationTokenException"},
			"size":      {codecommit.GetDifferencesInput{AfterCommitSpecifier: &first, MaxResults: aws.Int32(0)}, "InvalidMaxResultsException"},
		} {
			c.in.RepositoryName = deployment
			if _, err := client.GetDifferences(ctx, &c.in); code(err) != c.code {
				t.Errorf("%s: %v, want %s", what, err, c.code)
			}
		}
		// As the AWS CLI and boto3 name them.
		for _, body := range w.RawBodies("GetDifferences")[:1] {
			var members map[string]any
			if err := json.Unmarshal(body, &members); err != nil || members["afterCommitSpecifier"] != "master" {
				t.Errorf("%s, %v", body, err)
			}
		}
	})
}
