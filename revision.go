package slipway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Image is one entry of revision.json: the image that a container should run.
// The JSON form is CodePipeline's image definitions file.
type Image struct {
	// Container is the container's name in the task definition.
	Container string `json:"name"`
	// URI is an image reference by tag or digest, at most 255 characters.
	URI string `json:"imageUri"`
}

// Revision is the content of one app's revision.json at one commit.
type Revision struct {
	App App `json:"app"`
	// Commit is the newest commit that touched the app's folder, as 40 or 64
	// hex digits.
	Commit string `json:"commit"`
	// Blob is git's object id of revision.json. Two revisions with the same
	// blob are the same content, whatever their commits.
	Blob   string  `json:"blob,omitempty"`
	Images []Image `json:"images"`
}

// Commit is a commit of the deployment repository, as history shows it.
type Commit struct {
	ID      string    `json:"commit"`
	Author  string    `json:"author"` // "Name <address>"
	Time    time.Time `json:"time"`   // author date
	Message string    `json:"message"`
}

// Change is from one Revision to another of one App. From is the zero Revision
// when the app is new.
type Change struct {
	From Revision
	To   Revision
}

// SameImages reports whether two lists name the same image for each container,
// in whatever order.
func SameImages(a, b []Image) bool {
	byContainer := func(x, y Image) int { return strings.Compare(x.Container, y.Container) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byContainer), slices.SortedFunc(slices.Values(b), byContainer))
}

// Runs reports whether every image that git names is the one that its container
// runs. Containers that git does not name are nobody's business here. One that runs
// several images, because an app's schedules do not all run the same, runs none.
func Runs(running, git []Image) bool {
	byContainer := make(map[string]string, len(running))
	for _, image := range running {
		if other, several := byContainer[image.Container]; several && other != image.URI {
			image.URI = ""
		}
		byContainer[image.Container] = image.URI
	}
	for _, image := range git {
		if byContainer[image.Container] != image.URI {
			return false
		}
	}
	return true
}

// ChooseImage picks one container's image: that of the one asked for, or else of
// the one named like the app, or else the only one. The zero App is one whose name
// is not known.
func ChooseImage(app App, images []Image, container string) (Image, error) {
	wanted := cmp.Or(container, app.Name)
	at := slices.IndexFunc(images, func(image Image) bool { return image.Container == wanted })
	switch {
	case at >= 0:
		return images[at], nil
	case container == "" && len(images) == 1:
		return images[0], nil
	}
	file := "the revision"
	if app != (App{}) {
		file = app.RevisionPath()
	}
	names := make([]string, len(images))
	for i, image := range images {
		names[i] = image.Container
	}
	e := &Error{Next: NextUsage, Hint: "name one of them as container"}
	if wanted == "" {
		e.Message = fmt.Sprintf("%s names several containers: %s", file, strings.Join(names, ", "))
	} else {
		e.Message = fmt.Sprintf("%s names no container %q; it names %s", file, wanted, strings.Join(names, ", "))
	}
	return Image{}, e
}

// FormatImages writes images for people: the bare URI when there is one,
// otherwise "name=uri" joined by ", ".
func FormatImages(images []Image) string {
	if len(images) == 1 {
		return images[0].URI
	}
	parts := make([]string, len(images))
	for i, image := range images {
		parts[i] = fmt.Sprintf("%s=%s", image.Container, image.URI)
	}
	return strings.Join(parts, ", ")
}

// ShortCommit is the first eight digits of a commit's id, for people.
func ShortCommit(id string) string {
	if len(id) <= 8 {
		return id
	}
	return id[:8]
}
