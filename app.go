package slipway

import (
	"fmt"
	"strings"
)

// App is the identity of an application: the folder <cluster>/<name>/ of the
// deployment repository. Its text form is "cluster/name".
type App struct {
	Cluster string
	Name    string
}

// maxNameLength bounds a cluster's and an application's name. ECS allows 255
// letters (upper and lower case), numbers, hyphens and underscores:
// API reference, CreateCluster clusterName and CreateService serviceName.
const maxNameLength = 255

// ParseApp reads "cluster/name". The error says what is wrong with the text
// and how an app is written.
func ParseApp(text string) (App, error) {
	cluster, name, found := strings.Cut(text, "/")
	if !found {
		return App{}, Usagef("%q names no app: write CLUSTER/APP, for example cluster1/webapp1", text)
	}
	app := App{Cluster: cluster, Name: name}
	if err := app.Validate(); err != nil {
		return App{}, err
	}
	return app, nil
}

// Validate reports whether both names are 1 to 255 letters, digits, hyphens
// and underscores.
func (a App) Validate() error {
	if err := validName("cluster", a.Cluster); err != nil {
		return err
	}
	return validName("app", a.Name)
}

func validName(what, name string) error {
	if name == "" {
		return Usagef("the %s name is empty: write CLUSTER/APP, for example cluster1/webapp1", what)
	}
	if len(name) > maxNameLength {
		return Usagef("the %s name %.20q… has %d characters; at most %d are allowed", what, name, len(name), maxNameLength)
	}
	for _, r := range name {
		if !isNameRune(r) {
			return Usagef("the %s name %q has the character %q; only letters, digits, '-' and '_' are allowed", what, name, r)
		}
	}
	return nil
}

func isNameRune(r rune) bool {
	return r == '-' || r == '_' ||
		(r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
}

// String returns "cluster/name", and the empty string for the zero App.
func (a App) String() string {
	if a == (App{}) {
		return ""
	}
	return a.Cluster + "/" + a.Name
}

// RevisionPath is the app's revision.json, relative to the root of the
// deployment repository.
func (a App) RevisionPath() string { return a.String() + "/revision.json" }

// PipelinePath is the app's optional pipeline.yaml, relative to the root of
// the deployment repository.
func (a App) PipelinePath() string { return a.String() + "/pipeline.yaml" }

// Compare orders apps by cluster, then by name.
func (a App) Compare(b App) int {
	if c := strings.Compare(a.Cluster, b.Cluster); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// MarshalText returns the text form, so that an App is a JSON string and may
// be a map's key.
func (a App) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the text form; see ParseApp. Empty text is the zero App.
func (a *App) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = App{}
		return nil
	}
	app, err := ParseApp(string(text))
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	*a = app
	return nil
}
