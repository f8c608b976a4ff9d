package deployrepo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// SetImages commits other images into an app's revision.json and leaves the
// rest of the file as it is. images maps a container to its image; the empty
// container is the only one that the file names, or for a new app the one of
// the app's name.
func (r *Repo) SetImages(ctx context.Context, app slipway.App, images map[string]string, o WriteOptions) (Written, error) {
	if err := app.Validate(); err != nil {
		return Written{}, err
	}
	if len(images) == 0 {
		return Written{}, slipway.Usagef("no image is named for %s", app)
	}
	return r.Write(ctx, o, func(ctx context.Context, at *View) (Draft, error) {
		content, file, err := at.Read(ctx, app.RevisionPath())
		if err != nil {
			return Draft{}, err
		}
		if err := expect(app, o.Expect, file); err != nil {
			return Draft{}, err
		}
		switch {
		case file.Exists():
			content, err = files.EditRevision(app.RevisionPath(), content, images)
		case o.Create:
			content, err = files.FormatRevision(app.RevisionPath(), imageList(app, images))
		default:
			err = noApp(Tree{Commit: at.Commit}, app)
		}
		if err != nil {
			return Draft{}, err
		}
		return Draft{
			Message: deployMessage(app, imageList(app, images)),
			Files:   []FileChange{{Path: app.RevisionPath(), Content: content}},
		}, nil
	})
}

// expect is the precondition of a write.
func expect(app slipway.App, blob string, file File) error {
	if blob == "" || blob == file.Blob {
		return nil
	}
	return &slipway.Error{
		Next: slipway.NextPerson, Message: fmt.Sprintf("somebody else changed %s meanwhile", app.RevisionPath()),
		Hint: "look at slipway history " + app.String() + " and decide again",
	}
}

// imageList orders images by container.
func imageList(app slipway.App, images map[string]string) []slipway.Image {
	var list []slipway.Image
	for _, container := range slices.Sorted(maps.Keys(images)) {
		image := slipway.Image{Container: container, URI: images[container]}
		if container == "" {
			image.Container = app.Name
		}
		list = append(list, image)
	}
	return list
}

func deployMessage(app slipway.App, images []slipway.Image) string {
	what := fmt.Sprintf("%d images", len(images))
	if len(images) == 1 {
		what = shortImage(images[0].URI)
	}
	return fmt.Sprintf("Deploy %s to %s\n\n%s", what, app, imageLines(images))
}

// imageLines writes one image a line.
func imageLines(images []slipway.Image) string {
	lines := make([]string, len(images))
	for i, image := range images {
		lines[i] = fmt.Sprintf("%s: %s", image.Container, image.URI)
	}
	return strings.Join(lines, "\n")
}

// shortImage is an image without its registry, and with the beginning of its
// digest.
func shortImage(uri string) string {
	short := uri[strings.LastIndex(uri, "/")+1:]
	if name, digest, found := strings.Cut(short, "@sha256:"); found && len(digest) > 12 {
		return name + "@sha256:" + digest[:12]
	}
	return short
}
