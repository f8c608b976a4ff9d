package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"time"

	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/controller"
)

// globals are the flags of every command.
type globals struct {
	Output     string `short:"o" group:"global" enum:"table,json" default:"table" env:"SLIPWAY_OUTPUT" help:"How to answer: table or json."`
	Server     string `group:"global" default:"http://127.0.0.1:7878" env:"SLIPWAY_SERVER" help:"Address of the controller (slipway serve)."`
	Repository string `group:"global" env:"SLIPWAY_REPOSITORY" placeholder:"URL|DIR" help:"The deployment repository."`
	Branch     string `group:"global" env:"SLIPWAY_BRANCH" placeholder:"NAME" help:"Its branch; by default the one that its HEAD names."`
	Verbose    bool   `short:"v" group:"global" xor:"talk" env:"SLIPWAY_VERBOSE" help:"Log details on stderr."`
	Quiet      bool   `short:"q" group:"global" xor:"talk" env:"SLIPWAY_QUIET" help:"Say nothing but errors on stderr."`
	// NoColor has no variable in its tag: any value of NO_COLOR counts
	// (https://no-color.org), but a boolean flag takes true or false.
	NoColor bool `group:"global" help:"Use no colour; also when NO_COLOR is set, and without a terminal."`
}

// env is what a command may touch.
type env struct {
	globals
	IO
	now  func() time.Time
	http *http.Client
}

// defaultServer is where a controller is that nobody gave another address: the
// default of --server.
const defaultServer = "http://127.0.0.1:7878"

// backend is the controller. Where no other server is named, and the repository that is
// says that AWS CodePipeline conducts all of it, there is none: this process answers.
func (e *env) backend(ctx context.Context) (api.Backend, error) {
	if e.Repository != "" && e.Server == defaultServer {
		repository, err := e.openRepository(ctx)
		if err == nil {
			settings, err := repository.Config(ctx, repository.Head())
			if err == nil && settings.Serverless() {
				return controller.Direct(controller.Options{Repository: repository, Target: e.target(e.warnings()), AWS: awsConfig, Logger: e.warnings()}), nil
			}
		}
	}
	return api.NewClient(e.Server, e.http)
}

// note tells something on stderr that is no part of the answer.
func (e *env) note(format string, args ...any) {
	if !e.Quiet {
		_, _ = fmt.Fprintf(e.Err, format+"\n", args...)
	}
}

// log is the log of what runs on and on: it tells what happens.
func (e *env) log() *slog.Logger { return e.logFrom(slog.LevelInfo) }

// warnings is the log behind a command that tells its progress itself.
func (e *env) warnings() *slog.Logger { return e.logFrom(slog.LevelWarn) }

// logFrom writes on stderr what is of that level or above, unless --verbose or
// --quiet asks for more or less.
func (e *env) logFrom(level slog.Level) *slog.Logger {
	switch {
	case e.Verbose:
		level = slog.LevelDebug
	case e.Quiet:
		level = slog.LevelError
	}
	return slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: level}))
}

// who is on record for what is asked for by name.
func who() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// isTerminal reports whether a person may read w as it is written.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// logged is a transport that logs each request.
type logged struct {
	http.RoundTripper
	log *slog.Logger
}

// RoundTrip is http.RoundTripper's.
func (t logged) RoundTrip(req *http.Request) (*http.Response, error) {
	begun := time.Now()
	resp, err := t.RoundTripper.RoundTrip(req)
	answer := "no answer"
	if err == nil {
		answer = resp.Status
	}
	t.log.DebugContext(req.Context(), "request", "method", req.Method, "url", req.URL.Redacted(), "answer", answer, "took", time.Since(begun))
	return resp, err
}
