package deployrepo

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
)

// manyApps makes a repository of 10,000 apps in 20 clusters with a history of
// 200 commits.
func manyApps(tb testing.TB) (dir string, apps []slipway.App) {
	tb.Helper()
	dir = newBare(tb)
	var in strings.Builder
	write := func(message string, some ...slipway.App) {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter D <d@example.com> 1700000000 +0000\ndata %d\n%s\n", len(message), message)
		for _, app := range some {
			text := revisionText(app, "registry.example.com/"+app.Name+":"+message)
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", app.RevisionPath(), len(text), text)
		}
	}
	for i := range 10_000 {
		apps = append(apps, slipway.App{Cluster: fmt.Sprintf("cluster%d", i%20), Name: fmt.Sprintf("app%d", i)})
	}
	write("all", apps...)
	for i := range 200 {
		write(fmt.Sprint("c", i), apps[i*37])
	}
	runWith(tb, dir, in.String(), "fast-import", "--quiet")
	return dir, apps
}

// BenchmarkDetect10000 finds the one app that changed among 10,000: Refresh,
// Tree and comparing. The budget is 150 ms.
func BenchmarkDetect10000(b *testing.B) {
	dir, apps := manyApps(b)
	for way, url := range ways(dir) {
		b.Run(way, func(b *testing.B) {
			r := open(b, url)
			known := map[slipway.App]string{}
			detect := func() (changed []slipway.App) {
				head, _, err := r.Refresh(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				tree, err := r.Tree(b.Context(), head)
				if err != nil {
					b.Fatal(err)
				}
				for app, files := range tree.Apps {
					if known[app] != files.Revision.Blob {
						known[app] = files.Revision.Blob
						changed = append(changed, app)
					}
				}
				return changed
			}
			if got := len(detect()); got != len(apps) {
				b.Fatalf("%d apps at first sight", got)
			}
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				want := apps[i%len(apps)]
				commit(b, dir, "change", revision(want, fmt.Sprintf("%s:%d", way, i)))
				b.StartTimer()
				if got := detect(); len(got) != 1 || got[0] != want {
					b.Fatalf("changed: %v, want %s", got, want)
				}
			}
		})
	}
}

// BenchmarkNoOpPoll10000 is a poll that finds nothing new among 10,000 apps: it
// must be one ls-remote.
func BenchmarkNoOpPoll10000(b *testing.B) {
	dir, _ := manyApps(b)
	var seen commands
	r := openWith(b, Options{URL: "file://" + dir, MirrorDir: filepath.Join(b.TempDir(), "mirror.git"), Logger: seen.logger()})
	seen.take()
	polls := 0
	for b.Loop() {
		if _, changed, err := r.Refresh(b.Context()); changed || err != nil {
			b.Fatal(changed, err)
		}
		polls++
	}
	commands := seen.take()
	b.ReportMetric(float64(len(commands))/float64(polls), "git/op")
	for _, command := range commands {
		if command != "ls-remote" {
			b.Fatalf("a poll ran git %s", command)
		}
	}
	if len(commands) != polls {
		b.Fatalf("%d git commands for %d polls", len(commands), polls)
	}
}

// BenchmarkEmbeddedPush is what a push to a local repository costs until all
// is known that a deployment needs.
func BenchmarkEmbeddedPush(b *testing.B) {
	dir := newBare(b)
	commit(b, dir, "first", revision(webapp1, "web:0"))
	r := open(b, dir)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		commit(b, dir, "change", revision(webapp1, fmt.Sprintf("web:%d", i+1)))
		b.StartTimer()
		head, changed, err := r.Refresh(b.Context())
		if err != nil || !changed {
			b.Fatal(changed, err)
		}
		tree, err := r.Tree(b.Context(), head)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Load(b.Context(), tree, webapp1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoad10000 is the first sight of 10,000 apps.
func BenchmarkLoad10000(b *testing.B) {
	dir, apps := manyApps(b)
	r := open(b, dir)
	for b.Loop() {
		tree, err := r.Tree(b.Context(), r.Head())
		if err != nil {
			b.Fatal(err)
		}
		loaded, err := r.Load(b.Context(), tree, apps...)
		if err != nil || len(loaded) != len(apps) {
			b.Fatal(len(loaded), err)
		}
	}
}
