package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/alecthomas/kong"
)

// IO is what a command reads and writes.
type IO struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// root is the command line: a field per command, in the order of the help.
type root struct {
	globals

	Demo    demoCmd    `cmd:"" help:"Tell the whole story in a sandbox: deploy, crash, roll back."`
	Sandbox sandboxCmd `cmd:"" help:"Run AWS, a git server and the controller on this machine."`
	Serve   serveCmd   `cmd:"" help:"Run the controller."`

	Init     initCmd     `cmd:"" help:"Begin a deployment repository."`
	Migrate  migrateCmd  `cmd:"" help:"Move between AWS CodePipeline and Slipway's own engine, without a deployment."`
	Validate validateCmd `cmd:"" help:"Check the files of a deployment repository."`
	Plan     planCmd     `cmd:"" help:"Show what a deployment would change, field by field."`
	Deploy   deployCmd   `cmd:"" help:"Commit another image, which deploys it."`
	Rollback rollbackCmd `cmd:"" help:"Commit an earlier revision, which deploys it."`

	Status  statusCmd  `cmd:"" help:"Show what git says, what runs, and what was executed last."`
	History historyCmd `cmd:"" help:"Show an app's commits and what became of each."`
	Show    showCmd    `cmd:"" help:"Show one execution in full."`

	Run   runCmd   `cmd:"" help:"Run one execution here, without a controller."`
	Start startCmd `cmd:"" help:"Run an app's pipeline on what git says now."`
	Stop  stopCmd  `cmd:"" help:"End an execution early."`
	Retry retryCmd `cmd:"" help:"Run an ended execution's revision again."`

	Approve approveCmd `cmd:"" help:"Let a deployment go on that pauses for a person."`
	Reject  rejectCmd  `cmd:"" help:"Have a deployment rolled back that pauses for a person."`

	ImageURI imageURICmd `cmd:"" name:"image-uri" help:"Answer Terraform's external data source: the image in git."`

	Config  configCmd  `cmd:"" help:"Show the configuration, and where each value comes from."`
	Version versionCmd `cmd:"" help:"Show the version."`
}

const description = `Continuous delivery for applications on AWS Fargate.

A commit of <cluster>/<app>/revision.json to the deployment repository is the approval; Slipway deploys it and tells what became of it.`

// Main runs one command and returns the exit code. When ctx ends, a command
// that waits stops waiting, and the controller shuts down.
func Main(ctx context.Context, args []string, stdio IO) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var cli root
	helped := false
	command, err := newParser(&cli, stdio, func(int) { helped = true }).Parse(args)
	if helped {
		return 0
	}
	e := &env{
		globals: cli.globals, IO: stdio, now: time.Now,
		http: &http.Client{Timeout: time.Minute},
	}
	if err == nil {
		e.http.Transport = logged{http.DefaultTransport, e.log()}
		command.BindTo(ctx, (*context.Context)(nil))
		err = command.Run(e)
	}
	tell(e, err)
	return exitCode(err)
}

// newParser makes the parser of the command line into cli; exit is called where
// help was asked for.
func newParser(cli *root, stdio IO, exit func(int)) *kong.Kong {
	parser, err := kong.New(cli,
		kong.Name("slipway"),
		kong.Description(description),
		kong.Writers(stdio.Out, stdio.Err),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{{Key: "global", Title: "Flags of every command:"}}),
	)
	if err != nil {
		panic(err) // root's tags are wrong; any test notices
	}
	return parser
}

// tell says on stderr what went wrong and what to do, unless the command has
// said so itself.
func tell(e *env, err error) {
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*ended](err); ok && e.err == nil {
		return
	}
	_, _ = fmt.Fprintf(e.Err, "%s %s\n", e.paint(e.Err, red, "slipway:"), err)
	if hint := hintOf(err); hint != "" {
		_, _ = fmt.Fprintf(e.Err, "%s %s\n", e.paint(e.Err, bold, "hint:"), hint)
	}
}
