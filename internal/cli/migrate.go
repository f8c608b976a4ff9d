package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codepipeline"
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

// fromCodePipeline reads the pipelines and what their services run.
func (c *migrateCmd) fromCodePipeline(ctx context.Context, e *env) (answer migrateAnswer, err error) {
	found, err := codepipeline.New(codepipeline.Options{Config: awsConfig}).Discover(ctx)
	if err != nil {
		return answer, err
	}
	by := make(map[slipway.App]codepipeline.Found, len(found))
	for _, f := range found {
		if other, twice := by[f.App]; twice && f.Problem == nil {
			f.Problem = fmt.Errorf("pipeline %s deploys %s too", other.Pipeline, f.App)
		}
		if f.Problem != nil {
			answer.LeftOut = append(answer.LeftOut, fmt.Sprintf("pipeline %s: %v", f.Pipeline, f.Problem))
			continue
		}
		by[f.App] = f
	}
	apps := slices.SortedFunc(maps.Keys(by), slipway.App.Compare)
	places := make([]slipway.Place, len(apps))
	for i, app := range apps {
		places[i] = by[app].Place
	}
	running, err := e.target(e.warnings()).Running(ctx, places)
	if err != nil {
		return answer, err
	}
	images := make(map[slipway.App][]slipway.Image, len(apps))
	var others []deployrepo.FileChange
	for i, app := range apps {
		if running[i].Err != nil {
			answer.LeftOut = append(answer.LeftOut, fmt.Sprintf("%s of pipeline %s: %v", app, by[app].Pipeline, running[i].Err))
			continue
		}
		images[app] = ownImages(app, running[i].Images)
		if text := targetFile(app, places[i]); text != "" {
			others = append(others, deployrepo.FileChange{Path: app.PipelinePath(), Content: []byte(text)})
		}
	}
	if len(images) == 0 {
		return answer, &slipway.Error{
			Next: slipway.NextUsage, Message: "no pipeline here deploys to an ECS service that runs",
			Hint: "check the region and the account; `aws codepipeline list-pipelines` lists what there is",
		}
	}
	others = append(others, deployrepo.FileChange{Path: files.RepositoryPath, Content: []byte(settingsFor(by))})
	for app, of := range images {
		text, err := files.FormatRevision(app.RevisionPath(), of)
		if err != nil {
			return answer, err
		}
		answer.Files = append(answer.Files, migratedFile{app.RevisionPath(), string(text)})
	}
	for _, other := range others {
		answer.Files = append(answer.Files, migratedFile{other.Path, string(other.Content)})
	}
	slices.SortFunc(answer.Files, func(a, b migratedFile) int { return strings.Compare(a.Path, b.Path) })
	answer.Repository = e.Repository
	if c.DryRun {
		return answer, nil
	}
	written, err := deployrepo.Init(ctx, e.repositoryOptions(), images, deployrepo.WriteOptions{}, others...)
	answer.Commit, answer.Changed = written.Commit, written.Changed
	return answer, err
}

// settingsFor is a slipway.yaml for pipelines that exist. Where they are not called as
// the Terraform modules call them, it names the pattern if one fits all.
func settingsFor(found map[slipway.App]codepipeline.Found) string {
	text := "conductor: codepipeline\n"
	patterns := map[string]bool{}
	usual := true
	for app, f := range found {
		usual = usual && f.Pipeline == fmt.Sprintf("%s-%s-%s-%s", f.Repository, f.Branch, app.Cluster, app.Name)
		pattern := strings.Replace(f.Pipeline, app.Cluster, "{cluster}", 1)
		if at := strings.LastIndex(pattern, app.Name); at >= 0 {
			pattern = pattern[:at] + "{app}" + pattern[at+len(app.Name):]
		}
		patterns[pattern] = true
	}
	if usual || len(patterns) != 1 {
		return text
	}
	for pattern := range patterns {
		if strings.Contains(pattern, "{cluster}") && strings.Contains(pattern, "{app}") {
			text += "pipelineName: \"" + pattern + "\"\n"
		}
	}
	return text
}

// targetFile is an app's pipeline.yaml where it does not deploy to the service of its
// own name in the cluster of its folder's.
func targetFile(app slipway.App, place slipway.Place) string {
	var lines []string
	for _, setting := range []struct{ key, value, usual string }{
		{"kind", string(place.Kind), ""}, {"cluster", place.Cluster, app.Cluster}, {"service", place.Service, app.Name},
		{"application", place.Application, ""}, {"deploymentGroup", place.DeploymentGroup, ""},
	} {
		if setting.value != setting.usual {
			lines = append(lines, "  "+setting.key+": "+setting.value+"\n")
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "target:\n" + strings.Join(lines, "")
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
