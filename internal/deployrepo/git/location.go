package git

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/slipway-cd/slipway"
)

// Location is where a repository is: a folder, or a URL in any form that git
// knows. Its String hides secrets; Arg does not.
type Location struct {
	text    string
	shown   string
	folder  bool
	secrets *strings.Replacer
}

// remoteForm is what makes text a URL: a scheme (https://…), a remote helper
// (codecommit::…) or ssh's short form ([user@]host:path).
var remoteForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z0-9-]+::|([^/:@\s]+@)?[^/:@\s]{2,}:)`)

// ParseLocation tells a folder from a URL. What exists as a folder is one.
func ParseLocation(text string) (Location, error) {
	switch {
	case text == "":
		return Location{}, slipway.Usagef("no repository is named: give the URL or the folder of the deployment repository")
	case strings.HasPrefix(text, "-"):
		return Location{}, slipway.Usagef("%q is no repository: it begins with '-'; write ./%s for a folder of that name", text, text)
	}
	if info, err := os.Stat(text); (err == nil && info.IsDir()) || !remoteForm.MatchString(text) {
		absolute, err := filepath.Abs(text)
		return Location{text: absolute, shown: text, folder: true, secrets: strings.NewReplacer()}, err
	}
	l := Location{text: text}
	l.secrets = strings.NewReplacer(secretsOf(text)...)
	l.shown = l.Redact(text)
	return l, nil
}

// secretsOf returns pairs of what must not be printed and what is printed
// instead: user and password of a URL, and its query.
func secretsOf(text string) []string {
	_, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		return nil
	}
	var pairs []string
	authority, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(authority, "@"); i > 0 {
		user, password, hasPassword := strings.Cut(authority[:i], ":")
		// A lone user of ssh is a name; of http it may well be a token.
		if hasPassword || !strings.Contains(strings.ToLower(text[:len(text)-len(rest)]), "ssh") {
			pairs = append(pairs, authority[:i]+"@", "***@", user+"@", "***@")
		}
		if password != "" {
			pairs = append(pairs, password, "***")
			if plain, err := url.PathUnescape(password); err == nil && plain != password {
				pairs = append(pairs, plain, "***")
			}
		}
	}
	if _, query, found := strings.Cut(rest, "?"); found && query != "" {
		pairs = append(pairs, query, "***")
	}
	return pairs
}

// Folder reports whether it is a folder of this machine.
func (l Location) Folder() bool { return l.folder }

// Arg is what git is given: an absolute path or the URL with its secrets.
func (l Location) Arg() string { return l.text }

// String is the location for people, without secrets.
func (l Location) String() string { return l.shown }

// Redact hides the location's secrets in any text.
func (l Location) Redact(text string) string {
	if l.secrets == nil {
		return text
	}
	return l.secrets.Replace(text)
}
