package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// What Lambda takes of code, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	zippedMost   = 50 << 20
	unzippedMost = 250 << 20
)

// codeOf is a function's code. The error says why there is none.
func codeOf(zipped []byte, bucket, image *string) ([]byte, error) {
	switch {
	case bucket != nil:
		return nil, errParameter("the sandbox has no S3: give the zip file itself (ZipFile; filename in Terraform)")
	case image != nil:
		return nil, errParameter("the sandbox runs functions of zip files, not of container images")
	case len(zipped) == 0:
		return nil, errParameter("Please provide a source for function code.")
	case len(zipped) > zippedMost:
		return nil, errParameter("Zip file must be smaller than %d bytes", zippedMost)
	}
	return zipped, nil
}

// digest is the hash by which a function shows its code.
func digest(zipped []byte) string {
	sum := sha256.Sum256(zipped)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// folder is where the version's code is.
func (s *Service) folder(v *version) string {
	sum, _ := base64.StdEncoding.DecodeString(aws.ToString(v.CodeSha256)) // ours
	return filepath.Join(s.options.Dir, hex.EncodeToString(sum))
}

// keep unpacks code where the version finds it, and notes in the version which it
// is. The error says what is wrong with the zip.
func (s *Service) keep(zipped []byte, v *version) error {
	archive, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		return errParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	total := uint64(0)
	for _, file := range archive.File {
		total += file.UncompressedSize64
	}
	if total > unzippedMost {
		return errParameter("Unzipped size must be smaller than %d bytes", unzippedMost)
	}
	v.CodeSha256, v.CodeSize = aws.String(digest(zipped)), int64(len(zipped))
	if s.options.Dir == "" {
		return nil
	}
	to := s.folder(v)
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	// Whole or not at all: a folder of that name is code that can be run.
	draft, err := os.MkdirTemp(s.options.Dir, "draft-")
	if err != nil {
		return err
	}
	err = unpack(archive, draft)
	if err == nil {
		err = os.Rename(draft, to)
		if errors.Is(err, fs.ErrExist) { // somebody else was as quick
			err = nil
		}
	}
	return errors.Join(err, os.RemoveAll(draft))
}

// unpack writes the archive's files into a folder. A name that leads out of it is
// an error.
func unpack(archive *zip.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing is lost with it
	for _, file := range archive.File {
		if !filepath.IsLocal(file.Name) {
			return errParameter("Could not unzip uploaded file: %q leads out of it.", file.Name)
		}
		if file.Mode().IsDir() {
			err = root.MkdirAll(filepath.Clean(file.Name), 0o755)
		} else if err = root.MkdirAll(filepath.Dir(file.Name), 0o755); err == nil {
			err = unpackFile(root, file)
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", file.Name, err)
		}
	}
	return nil
}

func unpackFile(root *os.Root, file *zip.File) (err error) {
	from, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if file.Mode()&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(from, 4096))
		if err != nil {
			return err
		}
		return root.Symlink(string(target), file.Name)
	}
	to, err := root.OpenFile(file.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, file.Mode().Perm()|0o400)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, err = io.Copy(to, io.LimitReader(from, unzippedMost))
	return err
}

// sweep removes the code that no version has any more, and ends the environments
// that wait for invocations of versions that are no more. What runs goes on. The
// caller holds the lock.
func (s *Service) sweep() {
	current := s.current()
	for e := range s.warm {
		if !current[e.key] {
			s.retire(e)
		}
	}
	used := map[string]bool{}
	for _, f := range s.state.Functions {
		for _, v := range append([]*version{f.Latest}, f.Published...) {
			used[filepath.Base(s.folder(v))] = true
		}
	}
	if s.options.Dir == "" {
		return
	}
	entries, err := os.ReadDir(s.options.Dir)
	for _, entry := range entries {
		// Others are drafts, and what environments write.
		if name := entry.Name(); len(name) == hex.EncodedLen(sha256.Size) && !used[name] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.options.Dir, name)))
		}
	}
	if err != nil {
		s.options.Logger.Warn("old code of functions stays behind", "error", err)
	}
}
