package codecommit

import (
	"context"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// fileMost is the largest file that the API reads or writes, in bytes.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PutFile.html
const fileMost = 6 << 20

// GetFile answers with a file at a commit: of the default branch, if none is named.
func (s *Service) GetFile(ctx context.Context, in *codecommit.GetFileInput) (*codecommit.GetFileOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	file, err := checkPath(in.FilePath)
	if err != nil {
		return nil, err
	}
	commit, err := resolve(ctx, git, aws.ToString(in.CommitSpecifier))
	if err != nil {
		return nil, err
	}
	found, err := lookUp(ctx, git, commit.ID, file)
	if err != nil {
		return nil, err
	}
	if found.object.Type != "blob" {
		return nil, fail("FileDoesNotExistException", "Could not find path %s", file)
	}
	if len(found.object.Content) > fileMost {
		return nil, fail("FileTooLargeException", "The specified file exceeds the file size limit for AWS CodeCommit.")
	}
	return &codecommit.GetFileOutput{
		CommitId: aws.String(commit.ID), BlobId: aws.String(found.object.ID), FilePath: aws.String(file), FileMode: fileMode(found.mode),
		FileSize: int64(len(found.object.Content)), FileContent: found.object.Content,
	}, nil
}

// GetBlob answers with a blob's content.
func (s *Service) GetBlob(ctx context.Context, in *codecommit.GetBlobInput) (*codecommit.GetBlobOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.BlobId)
	switch {
	case id == "":
		return nil, fail("BlobIdRequiredException", "A blob ID is required, but was not specified.")
	case !fullID.MatchString(id):
		return nil, fail("InvalidBlobIdException", "The specified blob is not valid.")
	}
	found, err := git.Objects(ctx, id)
	if err != nil {
		return nil, err
	}
	if found[0].Type != "blob" {
		return nil, fail("BlobIdDoesNotExistException", "The specified blob does not exist: %s", id)
	}
	if len(found[0].Content) > fileMost {
		return nil, fail("FileTooLargeException", "The specified file exceeds the file size limit for AWS CodeCommit.")
	}
	return &codecommit.GetBlobOutput{Content: found[0].Content}, nil
}

// GetFolder answers with what a folder has, at one level.
func (s *Service) GetFolder(ctx context.Context, in *codecommit.GetFolderInput) (*codecommit.GetFolderOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.FolderPath == nil {
		return nil, fail("PathRequiredException", "The folderPath for a location cannot be null.")
	}
	folder := strings.Trim(*in.FolderPath, "/")
	if folder != "" {
		if folder, err = checkPath(&folder); err != nil {
			return nil, err
		}
	}
	commit, err := resolve(ctx, git, aws.ToString(in.CommitSpecifier))
	if err != nil {
		return nil, err
	}
	found, err := git.Objects(ctx, commit.ID+":"+folder)
	if err != nil {
		return nil, err
	}
	if found[0].Type != "tree" {
		return nil, fail("FolderDoesNotExistException", "The specified folder does not exist: %s", folder)
	}
	out := &codecommit.GetFolderOutput{
		CommitId: aws.String(commit.ID), FolderPath: aws.String(folder), TreeId: aws.String(found[0].ID),
		Files: []types.File{}, SubFolders: []types.Folder{}, SubModules: []types.SubModule{}, SymbolicLinks: []types.SymbolicLink{},
	}
	for _, e := range found[0].Entries() {
		absolute, relative, id := aws.String(path.Join(folder, e.Name)), aws.String(e.Name), aws.String(e.ID)
		switch e.Mode {
		case gitserver.ModeTree:
			out.SubFolders = append(out.SubFolders, types.Folder{AbsolutePath: absolute, RelativePath: relative, TreeId: id})
		case gitserver.ModeSubmodule:
			out.SubModules = append(out.SubModules, types.SubModule{AbsolutePath: absolute, RelativePath: relative, CommitId: id})
		case gitserver.ModeLink:
			out.SymbolicLinks = append(out.SymbolicLinks, types.SymbolicLink{AbsolutePath: absolute, RelativePath: relative, BlobId: id, FileMode: types.FileModeTypeEnumSymlink})
		default:
			out.Files = append(out.Files, types.File{AbsolutePath: absolute, RelativePath: relative, BlobId: id, FileMode: fileMode(e.Mode)})
		}
	}
	return out, nil
}

// found is what a commit has at a path: nothing if the object has no id.
type found struct {
	object gitserver.Object
	mode   string
}

// lookUp finds a path in a commit or tree.
func lookUp(ctx context.Context, git *gitserver.Repository, commit, file string) (found, error) {
	folder := path.Dir(file)
	if folder == "." {
		folder = ""
	}
	objects, err := git.Objects(ctx, commit+":"+file, commit+":"+folder)
	if err != nil {
		return found{}, err
	}
	for _, e := range objects[1].Entries() {
		if e.Name == path.Base(file) {
			return found{object: objects[0], mode: e.Mode}, nil
		}
	}
	return found{}, nil
}

// checkPath reads a file's path: without a slash at its beginning, and clean.
func checkPath(file *string) (string, error) {
	if aws.ToString(file) == "" {
		return "", fail("PathRequiredException", "The folderPath for a location cannot be null.")
	}
	p := strings.TrimPrefix(*file, "/")
	if p == "" || path.Clean(p) != p || strings.HasPrefix(p, "..") || strings.ContainsAny(p, "\n\x00") || p == ".git" || strings.HasPrefix(p, ".git/") {
		return "", fail("InvalidPathException", "The specified path is not valid: %s", *file)
	}
	return p, nil
}

// fileMode is CodeCommit's name of a mode of git's.
func fileMode(mode string) types.FileModeTypeEnum {
	switch mode {
	case gitserver.ModeExecutable:
		return types.FileModeTypeEnumExecutable
	case gitserver.ModeLink:
		return types.FileModeTypeEnumSymlink
	default:
		return types.FileModeTypeEnumNormal
	}
}

// gitMode is git's mode of a file; the error says that there is none of that name.
func gitMode(mode types.FileModeTypeEnum) (string, error) {
	switch mode {
	case "", types.FileModeTypeEnumNormal:
		return gitserver.ModeFile, nil
	case types.FileModeTypeEnumExecutable:
		return gitserver.ModeExecutable, nil
	case types.FileModeTypeEnumSymlink:
		return gitserver.ModeLink, nil
	}
	return "", fail("InvalidFileModeException", "The specified file mode permission is not valid. For a list of valid file mode permissions, see PutFile.")
}
