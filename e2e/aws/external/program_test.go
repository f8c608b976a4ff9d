//go:build e2e

package main

import (
	"maps"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	dir := t.TempDir()
	query := map[string]string{"app_name": "webapp1"}
	for name, test := range map[string]struct {
		script string
		query  map[string]string
		want   map[string]string
		fails  string
	}{
		"the query comes back":     {script: "cat", query: query, want: query},
		"no query is empty":        {script: "cat", want: map[string]string{}},
		"it runs in the folder":    {script: `printf '{"dir": "%s"}' "$PWD"`, want: map[string]string{"dir": dir}},
		"it fails with its words":  {script: "echo '{}'; echo no such app >&2; exit 3", fails: "exit status 3: no such app"},
		"an answer is an object":   {script: "echo '[]'", fails: "no JSON object of strings"},
		"of strings":               {script: `echo '{"count": 1}'`, fails: "no JSON object of strings"},
		"null is none":             {script: "echo null", fails: "no JSON object"},
		"nothing else beside that": {script: "echo '{} {}'", fails: "no JSON object of strings"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t.Context(), []string{"sh", "-c", test.script}, dir, test.query)
			switch {
			case test.fails != "":
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("got %v, %v, want an error that has %q", got, err, test.fails)
				}
			case err != nil || !maps.Equal(got, test.want):
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	if _, err := ask(t.Context(), nil, "", nil); err == nil {
		t.Error("no program is no error")
	}
}
