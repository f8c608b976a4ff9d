package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// migrateCmd changes who conducts.
type migrateCmd struct {
	Dir              string `arg:"" optional:"" name:"dir" help:"A folder, or a repository's URL; by default --repository, or else the current folder."`
	FromCodePipeline bool   `name:"from-codepipeline" xor:"way" required:"" help:"Write a repository from the pipelines that exist in CodePipeline and what runs in ECS."`
	ToCodePipeline   bool   `name:"to-codepipeline" xor:"way" required:"" help:"Have CodePipeline conduct: write slipway.yaml, and the variables of the Terraform module that makes the pipelines."`
	ToBuiltin        bool   `name:"to-builtin" xor:"way" required:"" help:"Have slipway serve conduct: write slipway.yaml."`
	Out              string `placeholder:"FILE" default:"pipelines.auto.tfvars.json" help:"Where --to-codepipeline writes the variables."`
	DryRun           bool   `help:"Show what would be written, and write nothing."`
}

func (*migrateCmd) Help() string {
	return `Nothing is deployed in any direction: what runs is what is written, and what git says already runs. Commits to the repository like slipway init; push it yourself where it is a folder.

Examples:

    slipway migrate --from-codepipeline deployment --dry-run
    slipway migrate --to-codepipeline deployment --out terraform/pipelines.auto.tfvars.json
    slipway migrate --to-builtin deployment`
}

// migrateAnswer is the answer; its JSON form is a promise to scripts.
type migrateAnswer struct {
	Repository string `json:"repository"`
	// Commit is the new one, or the head where nothing changed; empty in a dry run.
	Commit  string `json:"commit,omitempty"`
	Changed bool   `json:"changed"`
	// Files are those that are written, or would be, and what they hold.
	Files []migratedFile `json:"files"`
	// LeftOut says which pipelines or apps were not taken over, and why.
	LeftOut []string `json:"leftOut,omitempty"`
	// ToDo says what a person has to change before the new conductor can conduct.
	ToDo []string `json:"toDo,omitempty"`
}

type migratedFile struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// Run needs no server.
func (c *migrateCmd) Run(ctx context.Context, e *env) error {
	if c.Dir != "" {
		e.Repository = c.Dir
	} else if e.Repository == "" {
		e.Repository = "."
	}
	var answer migrateAnswer
	var err error
	switch {
	case c.FromCodePipeline:
		answer, err = c.fromCodePipeline(ctx, e)
	case c.ToCodePipeline:
		answer, err = c.toCodePipeline(ctx, e)
	default:
		answer, err = c.conductedBy(ctx, e, slipway.ConductorBuiltin)
	}
	if err != nil {
		return err
	}
	for _, why := range answer.LeftOut {
		e.note("left out %s", why)
	}
	for _, what := range answer.ToDo {
		e.note("to do: %s", what)
	}
	return e.answer(answer, func(t *table) {
		switch {
		case c.DryRun:
			t.row(answer.Repository + ": nothing is written in a dry run")
		case answer.Changed:
			t.row(answer.Repository + ": commit " + slipway.ShortCommit(answer.Commit))
		default:
			t.row(answer.Repository + ": nothing to change")
		}
		for _, file := range answer.Files {
			t.row("  " + file.Path)
			if c.DryRun {
				t.row("    " + strings.ReplaceAll(strings.TrimSpace(file.Content), "\n", "\n    "))
			}
		}
	})
}

// errDry ends an edit that is not to be written.
var errDry = errors.New("dry run")

// conductedBy commits who conducts.
func (c *migrateCmd) conductedBy(ctx context.Context, e *env, by slipway.Conductor) (answer migrateAnswer, err error) {
	repository, err := e.openRepository(ctx)
	if err != nil {
		return answer, err
	}
	answer.Repository = repository.String()
	who := "slipway serve"
	if by == slipway.ConductorCodePipeline {
		who = "AWS CodePipeline"
	}
	written, err := repository.Write(ctx, deployrepo.WriteOptions{}, func(ctx context.Context, at *deployrepo.View) (deployrepo.Draft, error) {
		text, _, err := at.Read(ctx, files.RepositoryPath)
		if err != nil {
			return deployrepo.Draft{}, err
		}
		answer.ToDo = otherwise(text, by)
		edited, err := files.EditConductor(files.RepositoryPath, text, by)
		answer.Files = []migratedFile{{files.RepositoryPath, string(edited)}}
		if err == nil && c.DryRun {
			err = errDry
		}
		return deployrepo.Draft{Message: "Have " + who + " conduct\n\nNothing is deployed by this.", Files: []deployrepo.FileChange{{Path: files.RepositoryPath, Content: edited}}}, err
	})
	if errors.Is(err, errDry) {
		return answer, nil
	}
	answer.Commit, answer.Changed = written.Commit, written.Changed
	return answer, err
}

// otherwise are the folders of which a slipway.yaml says that another conducts: they stay
// so.
func otherwise(text []byte, by slipway.Conductor) (toDo []string) {
	settings, _ := files.ParseRepository(files.RepositoryPath, text)
	settings.Conductor = files.Conductor(by)
	for _, folder := range slices.Sorted(maps.Keys(settings.Clusters)) {
		if settings.ConductorOf(string(folder)) != by {
			toDo = append(toDo, fmt.Sprintf("%s says of the folder %s that another conducts it, which stays so until somebody changes it", files.RepositoryPath, folder))
		}
	}
	return toDo
}
