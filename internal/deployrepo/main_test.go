package deployrepo

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-cd/slipway"
)

// TestMain keeps the user's git configuration out. Run by a test, the binary is
// another process that uses the package; see helper.
func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		if err := helper(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	home, err := os.MkdirTemp("", "slipway-home-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "cache"), "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Author", "GIT_AUTHOR_EMAIL": "author@example.com",
		"GIT_COMMITTER_NAME": "Committer", "GIT_COMMITTER_EMAIL": "committer@example.com",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}

const helperVariable = "SLIPWAY_TEST_HELPER"

// helper is what this binary does when a test runs it.
func helper(args []string) error {
	ctx := context.Background()
	switch args[0] {
	case "open": // URL MIRROR
		_, err := Open(ctx, Options{URL: args[1], MirrorDir: args[2]})
		return err
	case "deploy": // URL MIRROR APP IMAGE
		r, err := Open(ctx, Options{URL: args[1], MirrorDir: args[2]})
		if err != nil {
			return err
		}
		app, err := slipway.ParseApp(args[3])
		if err != nil {
			return err
		}
		_, err = r.SetImages(ctx, app, map[string]string{"": args[4]}, WriteOptions{Create: true})
		return err
	case "pre-receive": // OLD NEW REF on stdin, in the git directory
		var from, to, ref string
		if _, err := fmt.Scan(&from, &to, &ref); err != nil {
			return err
		}
		r, err := Open(ctx, Options{URL: "."})
		if err != nil {
			return err
		}
		problems, err := r.Validate(ctx, to)
		if err != nil {
			return err
		}
		return problems.Err()
	}
	return fmt.Errorf("unknown helper %q", args)
}

// helperCommand runs this binary as a process of its own.
func helperCommand(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), helperVariable+"=1")
	return cmd
}

var webapp1 = slipway.App{Cluster: "cluster1", Name: "webapp1"}

// run runs git in a folder and returns what it prints.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return runWith(t, dir, "", args...)
}

func runWith(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// newBare makes an empty bare repository whose HEAD names main.
func newBare(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deployment.git")
	run(t, ".", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", dir)
	return dir
}

// change is a file of a commit that a test makes; no Content removes it.
type change struct {
	Path, Mode, Content string
}

// commit adds a commit to main as somebody else would, and returns its id.
func commit(t testing.TB, dir, message string, changes ...change) string {
	t.Helper()
	return commitOn(t, dir, "main", message, changes...)
}

func commitOn(t testing.TB, dir, branch, message string, changes ...change) string {
	t.Helper()
	var in strings.Builder
	ref := "refs/heads/" + branch
	at := len(strings.Fields(run(t, dir, "rev-list", "--all"))) // each commit a second later
	fmt.Fprintf(&in, "commit %s\nmark :1\ncommitter Developer <dev@example.com> %d +0000\ndata %d\n%s\n", ref, 1700000000+at, len(message), message)
	if run(t, dir, "for-each-ref", ref) != "" {
		fmt.Fprintf(&in, "from %s^0\n", ref)
	}
	for _, c := range changes {
		switch {
		case c.Content == "" && c.Mode == "":
			fmt.Fprintf(&in, "D %s\n", c.Path)
		case c.Mode == "160000":
			fmt.Fprintf(&in, "M 160000 %s %s\n", c.Content, c.Path)
		default:
			mode := c.Mode
			if mode == "" {
				mode = "100644"
			}
			fmt.Fprintf(&in, "M %s inline %s\ndata %d\n%s\n", mode, c.Path, len(c.Content), c.Content)
		}
	}
	in.WriteString("get-mark :1\n")
	return runWith(t, dir, in.String(), "fast-import", "--quiet", "--force")
}

// revision is a change of an app's revision.json.
func revision(app slipway.App, image string) change {
	return change{Path: app.RevisionPath(), Content: revisionText(app, image)}
}

func revisionText(app slipway.App, image string) string {
	return fmt.Sprintf("[\n  {\"name\": %q, \"imageUri\": %q}\n]\n", app.Name, image)
}

// open opens a folder, or as "file://…" through a mirror of its own.
func open(t testing.TB, url string) *Repo {
	t.Helper()
	return openWith(t, Options{URL: url})
}

func openWith(t testing.TB, o Options) *Repo {
	t.Helper()
	if o.MirrorDir == "" {
		o.MirrorDir = filepath.Join(t.TempDir(), "mirror.git")
	}
	r, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ways are the two ways to a repository: the folder itself, and a URL.
func ways(dir string) map[string]string {
	return map[string]string{"folder": dir, "url": "file://" + dir}
}

// commands collects the git commands that a Repo runs.
type commands struct {
	mu   sync.Mutex
	seen []string
}

func (c *commands) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "command" {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.seen = append(c.seen, strings.Fields(a.Value.String())[0])
		}
		return a
	}}))
}

func (c *commands) Write(p []byte) (int, error) { return len(p), nil }

// take returns the commands since the last call.
func (c *commands) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := slices.Clone(c.seen)
	c.seen = nil
	return seen
}

// wantError checks an error's next step and that its text and hint contain words.
func wantError(t *testing.T, err error, next slipway.Next, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	if got := slipway.NextOf(err); got != next {
		t.Errorf("next is %q, want %q: %v", got, next, err)
	}
	text := err.Error() + " | " + slipway.HintOf(err)
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("error %q does not contain %q", text, word)
		}
	}
}
