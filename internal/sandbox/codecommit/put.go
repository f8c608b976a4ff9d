package codecommit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

// commitMost is how large the files of a commit may be together, in bytes.
const commitMost = 7 << 20

// PutFile adds or updates one file with a commit. A branch that has commits wants
// its last one named as the parent; an empty repository gets the branch.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PutFile.html
func (s *Service) PutFile(ctx context.Context, in *codecommit.PutFileInput) (*codecommit.PutFileOutput, error) {
	e, err := s.edit(ctx, in.RepositoryName, in.BranchName, in.ParentCommitId, false)
	if err != nil {
		return nil, err
	}
	file, err := checkPath(in.FilePath)
	if err != nil {
		return nil, err
	}
	mode, err := gitMode(in.FileMode)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.FileContent) == 0:
		return nil, fail("FileContentRequiredException", "The file cannot be added because it is empty. Empty files cannot be added to the repository with this API.")
	case len(in.FileContent) > fileMost:
		return nil, tooLarge()
	}
	if in.FileMode == "" && e.files[file].ID != "" {
		mode = e.files[file].Mode // a file keeps its own
	}
	verb := "Added "
	if e.files[file].ID != "" {
		verb = "Edited "
	}
	if err := e.put(file, mode, in.FileContent); err != nil {
		return nil, err
	}
	commit, err := e.commit(ctx, in.Name, in.Email, orText(in.CommitMessage, verb+file))
	if err != nil {
		return nil, err
	}
	if commit.ID == "" {
		return nil, fail("SameFileContentException", "The file was not added or updated because the content of the file is exactly the same as the content of that file in the repository and branch that you specified.")
	}
	return &codecommit.PutFileOutput{CommitId: aws.String(commit.ID), TreeId: readCommit(commit).TreeId, BlobId: aws.String(e.files[file].ID)}, nil
}

// DeleteFile deletes one file with a commit. The folders that it leaves empty go
// as well, unless in.KeepEmptyFolders puts a file .gitkeep there.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteFile.html
func (s *Service) DeleteFile(ctx context.Context, in *codecommit.DeleteFileInput) (*codecommit.DeleteFileOutput, error) {
	e, err := s.edit(ctx, in.RepositoryName, in.BranchName, in.ParentCommitId, true)
	if err != nil {
		return nil, err
	}
	file, err := checkPath(in.FilePath)
	if err != nil {
		return nil, err
	}
	blob := e.files[file].ID
	if err := e.delete(file, in.KeepEmptyFolders); err != nil {
		return nil, err
	}
	commit, err := e.commit(ctx, in.Name, in.Email, orText(in.CommitMessage, "Deleted "+file))
	if err != nil {
		return nil, err
	}
	return &codecommit.DeleteFileOutput{CommitId: aws.String(commit.ID), TreeId: readCommit(commit).TreeId, BlobId: aws.String(blob), FilePath: aws.String(file)}, nil
}

// CreateCommit adds, updates, copies, moves and deletes files, and sets their
// modes, with one commit.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html
func (s *Service) CreateCommit(ctx context.Context, in *codecommit.CreateCommitInput) (*codecommit.CreateCommitOutput, error) {
	e, err := s.edit(ctx, in.RepositoryName, in.BranchName, in.ParentCommitId, false)
	if err != nil {
		return nil, err
	}
	if len(in.PutFiles)+len(in.DeleteFiles)+len(in.SetFileModes) == 0 {
		return nil, fail("FileEntryRequiredException", "The commit cannot be created because no files have been specified as added, updated, or changed (PutFile or DeleteFile) for the commit.")
	}
	if err := e.apply(ctx, in); err != nil {
		return nil, err
	}
	commit, err := e.commit(ctx, in.AuthorName, in.Email, aws.ToString(in.CommitMessage))
	if err != nil {
		return nil, err
	}
	if commit.ID == "" {
		return nil, fail("NoChangeException", "The commit cannot be created because no changes will be made to the repository as a result of this commit. A commit must contain at least one change.")
	}
	out := &codecommit.CreateCommitOutput{
		CommitId: aws.String(commit.ID), TreeId: readCommit(commit).TreeId,
		FilesAdded: []types.FileMetadata{}, FilesUpdated: []types.FileMetadata{}, FilesDeleted: []types.FileMetadata{},
	}
	for _, d := range e.made {
		switch d.Status {
		case 'A':
			out.FilesAdded = append(out.FilesAdded, metadata(d.Path, d.After))
		case 'D':
			out.FilesDeleted = append(out.FilesDeleted, metadata(d.Path, d.Before))
		default:
			out.FilesUpdated = append(out.FilesUpdated, metadata(d.Path, d.After))
		}
	}
	return out, nil
}

// apply makes the changes of CreateCommit: each path may be named once.
func (e *edit) apply(ctx context.Context, in *codecommit.CreateCommitInput) error {
	named, size := map[string]bool{}, 0
	once := func(name *string) (string, error) {
		file, err := checkPath(name)
		if err == nil && named[file] {
			err = fail("SamePathRequestException", "The commit cannot be created because one or more changes in this commit duplicate actions in the same file path: %s", file)
		}
		named[file] = true
		return file, err
	}
	for _, entry := range in.DeleteFiles {
		file, err := once(entry.FilePath)
		if err == nil {
			err = e.delete(file, in.KeepEmptyFolders)
		}
		if err != nil {
			return err
		}
	}
	for _, entry := range in.PutFiles {
		file, err := once(entry.FilePath)
		if err != nil {
			return err
		}
		content, mode, err := e.content(ctx, entry, in.KeepEmptyFolders)
		if err != nil {
			return err
		}
		if size += len(content); len(content) > fileMost || size > commitMost {
			return tooLarge()
		}
		if err := e.put(file, mode, content); err != nil {
			return err
		}
	}
	for _, entry := range in.SetFileModes {
		file, err := once(entry.FilePath)
		if err != nil {
			return err
		}
		if entry.FileMode == "" {
			return fail("FileModeRequiredException", "The commit cannot be created because no file mode has been specified. A file mode is required to update mode permissions for a file.")
		}
		mode, err := gitMode(entry.FileMode)
		if err != nil {
			return err
		}
		content, _, err := e.read(ctx, file)
		if err != nil {
			return err
		}
		if err := e.put(file, mode, content); err != nil {
			return err
		}
	}
	return nil
}

// content is what PutFiles puts: its own, or that of another file, which goes if
// it is moved.
func (e *edit) content(ctx context.Context, entry types.PutFileEntry, keepFolders bool) (content []byte, mode string, err error) {
	switch {
	case entry.SourceFile != nil && len(entry.FileContent) > 0:
		return nil, "", fail("FileContentAndSourceFileSpecifiedException", "The commit cannot be created because both a source file and file content have been specified for the same file. You cannot provide both.")
	case entry.SourceFile != nil:
		var source string
		if source, err = checkPath(entry.SourceFile.FilePath); err != nil {
			return nil, "", err
		}
		if content, mode, err = e.read(ctx, source); err != nil {
			return nil, "", err
		}
		if entry.SourceFile.IsMove {
			if err = e.delete(source, keepFolders); err != nil {
				return nil, "", err
			}
		}
	case len(entry.FileContent) == 0:
		return nil, "", fail("SourceFileOrContentRequiredException", "The commit cannot be created because no source files or file content have been specified for the commit.")
	default:
		content = entry.FileContent
		if file, err := checkPath(entry.FilePath); err == nil {
			mode = e.files[file].Mode // a file keeps its own
		}
	}
	if entry.FileMode != "" || mode == "" {
		mode, err = gitMode(entry.FileMode)
	}
	return content, mode, err
}

func tooLarge() error {
	return fail("FileContentSizeLimitExceededException", "The file cannot be added because it is too large. The maximum file size is 6 MB, and the combined file content change size is 7 MB. Consider making these changes using a Git client.")
}

func orText(text *string, otherwise string) string {
	if aws.ToString(text) != "" {
		return *text
	}
	return otherwise
}
