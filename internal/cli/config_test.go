package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// Every flag that configures has an environment variable, and every flag and
// command says what it does.
func TestFlags(t *testing.T) {
	parser, err := kong.New(&root{})
	if err != nil {
		t.Fatal(err)
	}
	without := map[string]string{
		"help":     "asks, and does not configure",
		"no-color": "its variable takes any value",
	}
	for _, flag := range parser.Model.Flags {
		if _, ok := without[flag.Name]; ok {
			continue
		}
		if want := "SLIPWAY_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")); len(flag.Envs) != 1 || flag.Envs[0] != want {
			t.Errorf("--%s has the variables %v, want %s", flag.Name, flag.Envs, want)
		}
	}
	for _, command := range parser.Model.Children {
		if !strings.HasSuffix(command.Help, ".") {
			t.Errorf("%s: the help %q is no sentence", command.Name, command.Help)
		}
		for _, flag := range command.Flags {
			if !strings.HasSuffix(flag.Help, ".") {
				t.Errorf("%s --%s: the help %q is no sentence", command.Name, flag.Name, flag.Help)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	for name, value := range map[string]string{
		"SLIPWAY_SERVER":            "http://cd.example.com",
		"SLIPWAY_DATABASE_PASSWORD": "hunter2", // which is not what it is for
		"SLIPWAY_REPOSITORY":        "https://dev:hunter2@git.example.com/deployment.git",
		"AWS_REGION":                "eu-west-1",
		"AWS_ENDPOINT_URL":          "http://127.0.0.1:4566",
		"AWS_PROFILE":               "",
		"AWS_ACCESS_KEY_ID":         "AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY":     "wJalrXUtnFEMI",
		"AWS_CONFIG_FILE":           "/dev/null",
	} {
		t.Setenv(name, value)
	}
	got := slipwayCommand(t, "config", "--server", "http://127.0.0.1:1", "-o", "json")
	if got.code != 0 {
		t.Fatalf("code %d: %s", got.code, got.err)
	}
	var settings []setting
	if err := json.Unmarshal([]byte(got.out), &settings); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]setting)
	for _, s := range settings {
		found[s.Name] = s
	}
	for _, want := range []setting{
		{"output", "json", "flag --output"},
		{"server", "http://127.0.0.1:1", "flag --server"},
		{"repository", "https://dev:***@git.example.com/deployment.git", "environment SLIPWAY_REPOSITORY"},
		{"branch", "", "default"},
		{"aws.region", "eu-west-1", "environment AWS_REGION"},
		{"aws.endpoint", "http://127.0.0.1:4566", "environment AWS_ENDPOINT_URL"},
		{"aws.profile", "default", "AWS SDK"},
		{"AWS_ACCESS_KEY_ID", "***", "environment"},
		{"AWS_SECRET_ACCESS_KEY", "***", "environment"},
	} {
		if diff := cmp.Diff(want, found[want.Name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	for _, secret := range []string{"hunter2", "wJalrXUtnFEMI", "AKIAIOSFODNN7EXAMPLE"} {
		if strings.Contains(got.out+got.err, secret) {
			t.Errorf("tells the secret %s", secret)
		}
	}
}

func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "",
		"main":                                  "main",
		"/srv/git/deployment.git":               "/srv/git/deployment.git",
		"git@git.example.com:deployment.git":    "git@git.example.com:deployment.git",
		"ssh://git@git.example.com/d.git":       "ssh://git@git.example.com/d.git",
		"https://git.example.com/d.git":         "https://git.example.com/d.git",
		"https://token@git.example.com/d.git":   "https://***@git.example.com/d.git",
		"https://dev:p%40ss@git.example.com/d":  "https://dev:***@git.example.com/d",
		"postgres://dev:secret@db.example.com/": "postgres://dev:***@db.example.com/",

		"https://git.example.com/d@v1.git":                            "https://git.example.com/d@v1.git",
		"postgres://dev:sec#ret@db.example.com/slipway":               "postgres://dev:***@db.example.com/slipway",
		"postgres://dev:1#secret@db.example.com/slipway":              "postgres://dev:***@db.example.com/slipway",
		"postgres://dev:sec/r@et@db.example.com/slipway":              "postgres://dev:***@db.example.com/slipway",
		"postgres://dev:secret%zz@db.example.com/slipway":             "postgres://dev:***@db.example.com/slipway",
		"postgres://dev:secret@db1:5432,db2:5433/slipway":             "postgres://dev:***@db1:5432,db2:5433/slipway",
		"postgres:///slipway?user=dev&password=secret&sslmode=prefer": "postgres:///slipway?user=dev&password=***&sslmode=prefer",
		"postgres://dev:secret@/slipway?sslpassword=secret":           "postgres://dev:***@/slipway?sslpassword=***",
	} {
		if got := masked(text); got != want {
			t.Errorf("masked(%q) = %q, want %q", text, got, want)
		}
	}
}
