package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// fromCodePipeline reads the pipelines and what their services run.
func (c *migrateCmd) fromCodePipeline(ctx context.Context, e *env) (answer migrateAnswer, err error) {
	found, err := codepipeline.New(codepipeline.Options{Config: awsConfig}).Discover(ctx)
	if err != nil {
		return answer, err
	}
	by, leftOut := takenOver(found)
	answer.LeftOut = leftOut
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
			delete(by, app)
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
			Hint: "check the region and the account; `aws codepipeline list-pipelines` lists what there is" + because(answer.LeftOut),
		}
	}
	answer.Repository = e.Repository
	repository := codepipeline.RepositoryName(e.Repository)
	pattern := patternOf(by, repository)
	answer.ToDo = unlike(by, repository, pattern)
	others = append(others, deployrepo.FileChange{Path: files.RepositoryPath, Content: []byte(settingsFor(by, pattern))})
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
	if c.DryRun {
		return answer, nil
	}
	written, err := deployrepo.Init(ctx, e.repositoryOptions(), images, deployrepo.WriteOptions{}, others...)
	answer.Commit, answer.Changed = written.Commit, written.Changed
	return answer, err
}

// because is why pipelines were left out, behind a hint.
func because(leftOut []string) string {
	if len(leftOut) == 0 {
		return ""
	}
	return "; left out " + strings.Join(leftOut, "; ")
}

// takenOver are the apps that can be told from pipelines, one pipeline each, and why
// others cannot. A folder has one region: that of its first app.
func takenOver(found []codepipeline.Found) (by map[slipway.App]codepipeline.Found, leftOut []string) {
	by = make(map[slipway.App]codepipeline.Found, len(found))
	regions := map[string]string{}
	for _, f := range found {
		other, twice := by[f.App]
		region, known := regions[f.App.Cluster]
		switch {
		case f.Problem != nil:
		case twice:
			f.Problem = fmt.Errorf("pipeline %s deploys %s too%s", other.Pipeline, f.App, inRegion(other.Place.Region))
		case known && region != f.Place.Region:
			f.Problem = fmt.Errorf("it deploys %s%s, and other apps of the folder are%s: give it a folder of its own by hand", f.App, inRegion(f.Place.Region), inRegion(region))
		}
		if f.Problem != nil {
			leftOut = append(leftOut, fmt.Sprintf("pipeline %s: %v", f.Pipeline, f.Problem))
			continue
		}
		by[f.App], regions[f.App.Cluster] = f, f.Place.Region
	}
	return by, leftOut
}

// inRegion says in which region something is; empty is the pipelines' own.
func inRegion(region string) string { return " in " + cmp.Or(region, "the pipelines' own region") }

// patternOf is how most of the pipelines are named; empty where that is how they are
// called by default.
func patternOf(found map[slipway.App]codepipeline.Found, repository string) string {
	counts := map[string]int{}
	for app, f := range found {
		pattern := strings.Replace(f.Pipeline, app.Cluster, "{cluster}", 1)
		if at := strings.LastIndex(pattern, app.Name); at >= 0 {
			pattern = pattern[:at] + "{app}" + pattern[at+len(app.Name):]
		}
		if !strings.Contains(pattern, "{cluster}") || !strings.Contains(pattern, "{app}") {
			continue
		}
		if f.Repository == repository && pattern == f.Repository+"-"+f.Branch+"-{cluster}-{app}" {
			pattern = ""
		}
		counts[pattern]++
	}
	most := ""
	for _, pattern := range slices.Sorted(maps.Keys(counts)) {
		if counts[pattern] > counts[most] {
			most = pattern
		}
	}
	return most
}

// unlike is what keeps pipelines as they are from being conducted, by app.
func unlike(found map[slipway.App]codepipeline.Found, repository, pattern string) (toDo []string) {
	for _, app := range slices.SortedFunc(maps.Keys(found), slipway.App.Compare) {
		f := found[app]
		why := f.Unlike
		if f.Repository != "" && f.Repository != repository {
			why = append(why, fmt.Sprintf("its source is the repository %s: have it read %s", f.Repository, repository))
		}
		name := slipway.NamePipeline(pattern, repository, f.Branch, app)
		if f.Pipeline != name {
			why = append(why, fmt.Sprintf("it is looked for as %s: make it again by that name", name))
		}
		if len(why) > 0 {
			toDo = append(toDo, fmt.Sprintf("the pipeline %s of %s: %s", f.Pipeline, app, strings.Join(why, "; ")))
		}
	}
	return toDo
}

// settingsFor is a slipway.yaml for pipelines that exist.
func settingsFor(found map[slipway.App]codepipeline.Found, pattern string) string {
	text := "conductor: codepipeline\n"
	if pattern != "" {
		text += "pipelineName: \"" + pattern + "\"\n"
	}
	regions := map[string]string{}
	for app, f := range found {
		if f.Place.Region != "" {
			regions[app.Cluster] = f.Place.Region
		}
	}
	if len(regions) > 0 {
		text += "clusters:\n"
	}
	for _, folder := range slices.Sorted(maps.Keys(regions)) {
		text += "  " + folder + ": {region: " + regions[folder] + "}\n"
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
