package codepipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

const (
	// page is how many executions, of a pipeline or of actions, one call lists. API
	// reference, ListPipelineExecutions and ListActionExecutions, maxResults.
	page = 100
	// atOnce is how many pipelines are asked about at once: few enough for an account
	// in which other tools call CodePipeline too.
	atOnce = 8
	// apart is up to how many executions' actions are asked for one by one, rather than
	// with those of all others.
	apart = 3
)

// Executions returns the newest executions of an app's pipeline, newest first. An app
// that CodePipeline has no pipeline for is an error that is ErrNoPipeline.
func (c *Conductor) Executions(ctx context.Context, app slipway.App, settings slipway.Pipeline, limit int) ([]slipway.Execution, error) {
	p := structure{name: c.pipelineName(app, settings)}
	return c.cache.listed.get(fmt.Sprintf("%s %s %d", app, p.name, limit), func() ([]slipway.Execution, error) {
		listed, err := c.list(ctx, app, p, limit)
		if err != nil {
			return nil, err
		}
		if err := c.owned(ctx, app, settings, listed); err != nil {
			return nil, err
		}
		executions := make([]slipway.Execution, len(listed))
		failures := make([]error, len(listed))
		each(len(listed), func(i int) {
			executions[i], failures[i] = c.told(ctx, app, settings, listed[i])
		})
		for _, err := range failures {
			if err != nil {
				return nil, err
			}
		}
		return executions, nil
	})
}

// Latest returns the newest execution of each app's pipeline, without those of apps
// that have none, and why an app's could not be read.
func (c *Conductor) Latest(ctx context.Context, apps map[slipway.App]slipway.Pipeline) (map[slipway.App]slipway.Execution, map[slipway.App]error) {
	newest, failures := make(map[slipway.App]slipway.Execution), make(map[slipway.App]error)
	var mu sync.Mutex
	all := slices.SortedFunc(maps.Keys(apps), slipway.App.Compare)
	each(len(all), func(i int) {
		executions, err := c.Executions(ctx, all[i], apps[all[i]], 1)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			failures[all[i]] = err
		case len(executions) > 0:
			newest[all[i]] = executions[0]
		}
	})
	return newest, failures
}

// Find returns the executions whose ids are, or begin with, id: of the hundred newest
// of each app. Apps whose pipelines cannot be read are passed over, unless nothing is
// found; none is asked any more once a whole id is found.
func (c *Conductor) Find(ctx context.Context, apps map[slipway.App]slipway.Pipeline, id string) ([]slipway.Execution, error) {
	var mu sync.Mutex
	var found []slipway.Execution
	var failure error
	all := slices.SortedFunc(maps.Keys(apps), slipway.App.Compare)
	each(len(all), func(i int) {
		mu.Lock()
		over := len(found) > 0 && found[0].ID == id
		mu.Unlock()
		if over {
			return
		}
		executions, err := c.withID(ctx, all[i], apps[all[i]], id)
		mu.Lock()
		defer mu.Unlock()
		found = append(found, executions...)
		if err != nil && failure == nil {
			failure = err
		}
	})
	if len(found) > 0 {
		return found, nil
	}
	return nil, failure
}

// withID is Find for one app: what is not asked for is not looked at in ECS.
func (c *Conductor) withID(ctx context.Context, app slipway.App, settings slipway.Pipeline, id string) ([]slipway.Execution, error) {
	p := structure{name: c.pipelineName(app, settings)}
	summaries, err := c.summaries(ctx, p, page)
	if err != nil {
		return nil, err
	}
	var listed []said
	for _, summary := range summaries {
		if !strings.HasPrefix(aws.ToString(summary.PipelineExecutionId), id) {
			continue
		}
		of := said{summary: summary}
		if of.actions, err = c.actions(ctx, p, aws.ToString(summary.PipelineExecutionId)); err != nil {
			return nil, err
		}
		listed = append(listed, of)
	}
	if len(listed) == 0 {
		return nil, nil
	}
	if err := c.owned(ctx, app, settings, listed); err != nil {
		return nil, err
	}
	var found []slipway.Execution
	for _, of := range listed {
		execution, err := c.told(ctx, app, settings, of)
		if err != nil {
			return nil, err
		}
		found = append(found, execution)
	}
	return found, nil
}

// owned is an error where executions are of a pipeline that is not the app's. What one of
// them did says whose they are, and saves a call; where none came to that, the pipeline's
// structure does.
func (c *Conductor) owned(ctx context.Context, app slipway.App, settings slipway.Pipeline, listed []said) error {
	if slices.ContainsFunc(listed, func(of said) bool { return of.kept || of.deploy(app) != nil }) {
		return nil
	}
	_, err := c.pipeline(ctx, app, settings)
	return err
}

// told is one execution with what git and ECS say of it.
func (c *Conductor) told(ctx context.Context, app slipway.App, settings slipway.Pipeline, of said) (slipway.Execution, error) {
	key := of.key(app)
	if known, ok := c.cache.ended.peek(key); ok {
		return known, nil
	}
	revision, known, err := c.revision(ctx, app, of.commit())
	if err != nil {
		return slipway.Execution{}, err
	}
	if len(of.approvals()) > 0 {
		if p, err := c.pipeline(ctx, app, settings); err == nil {
			of.timeouts = p.timeouts
		}
	}
	e, final := c.look(ctx, of.execution(app, revision, settings), of)
	if final && known {
		c.cache.ended.put(key, e)
	}
	return e, nil
}

// revision is what git says of an app at a commit. Where the app's file is broken it is
// a revision with nothing but its commit: an execution of it may have failed for just
// that. So it is where git does not know the commit, which it may do later, after it was
// fetched: then known is false.
func (c *Conductor) revision(ctx context.Context, app slipway.App, commit string) (_ slipway.Revision, known bool, err error) {
	if commit == "" {
		return slipway.Revision{App: app}, true, nil
	}
	key := app.String() + " " + commit
	if revision, ok := c.cache.revisions.peek(key); ok {
		return revision, true, nil
	}
	revision, err := c.options.Source.Revision(ctx, app, commit)
	if err != nil {
		if ctx.Err() != nil || slipway.NextOf(err) == slipway.NextRetry {
			return revision, false, err
		}
		known = revision.App == app
		revision = slipway.Revision{App: app, Commit: commit, Blob: revision.Blob}
		if !known {
			return revision, false, nil
		}
	}
	c.cache.revisions.put(key, revision)
	return revision, true, nil
}

// list returns the newest executions of a pipeline with their actions.
func (c *Conductor) list(ctx context.Context, app slipway.App, p structure, limit int) ([]said, error) {
	summaries, err := c.summaries(ctx, p, limit)
	if err != nil {
		return nil, err
	}
	all := make([]said, len(summaries))
	unknown := map[string]*said{}
	for i, summary := range summaries {
		all[i].summary = summary
		if _, all[i].kept = c.cache.ended.peek(all[i].key(app)); !all[i].kept {
			unknown[aws.ToString(summary.PipelineExecutionId)] = &all[i]
		}
	}
	if len(unknown) <= apart {
		for id, of := range unknown {
			if of.actions, err = c.actions(ctx, p, id); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	details, err := c.actionsSince(ctx, p, unknown)
	if err != nil {
		return nil, err
	}
	for _, detail := range details {
		if of := unknown[aws.ToString(detail.PipelineExecutionId)]; of != nil {
			of.actions = append(of.actions, detail)
		}
	}
	return all, nil
}

func (c *Conductor) summaries(ctx context.Context, p structure, limit int) ([]types.PipelineExecutionSummary, error) {
	api, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	var summaries []types.PipelineExecutionSummary
	pages := codepipeline.NewListPipelineExecutionsPaginator(api, &codepipeline.ListPipelineExecutionsInput{
		PipelineName: &p.name, MaxResults: aws.Int32(int32(min(limit, page))),
	})
	for pages.HasMorePages() && len(summaries) < limit {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(err, "list the executions of the pipeline "+p.name, "codepipeline:ListPipelineExecutions")
		}
		summaries = append(summaries, out.PipelineExecutionSummaries...)
	}
	return summaries[:min(limit, len(summaries))], nil
}

// actions are those of one execution, oldest first.
func (c *Conductor) actions(ctx context.Context, p structure, id string) ([]types.ActionExecutionDetail, error) {
	return c.details(ctx, p, &types.ActionExecutionFilter{PipelineExecutionId: &id}, func([]types.ActionExecutionDetail) bool { return false })
}

// actionsSince are those of all executions back to the oldest that is wanted, oldest
// first.
func (c *Conductor) actionsSince(ctx context.Context, p structure, wanted map[string]*said) ([]types.ActionExecutionDetail, error) {
	return c.details(ctx, p, nil, func(so []types.ActionExecutionDetail) bool {
		oldest := aws.ToTime(so[len(so)-1].StartTime)
		for _, of := range wanted {
			if !aws.ToTime(of.summary.StartTime).After(oldest) {
				return false
			}
		}
		return true
	})
}

// details lists action executions, newest first, until enough says so.
func (c *Conductor) details(ctx context.Context, p structure, filter *types.ActionExecutionFilter, enough func([]types.ActionExecutionDetail) bool) ([]types.ActionExecutionDetail, error) {
	api, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	var details []types.ActionExecutionDetail
	pages := codepipeline.NewListActionExecutionsPaginator(api, &codepipeline.ListActionExecutionsInput{
		PipelineName: &p.name, Filter: filter, MaxResults: aws.Int32(page),
	})
	for pages.HasMorePages() && (len(details) == 0 || !enough(details)) {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(err, "list the action executions of the pipeline "+p.name, "codepipeline:ListActionExecutions")
		}
		details = append(details, out.ActionExecutionDetails...)
	}
	slices.SortStableFunc(details, func(a, b types.ActionExecutionDetail) int {
		return aws.ToTime(a.StartTime).Compare(aws.ToTime(b.StartTime))
	})
	return details, nil
}

// each calls do with 0 to n-1, a few at a time, and returns after the last.
func each(n int, do func(i int)) {
	var running sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range n {
		turns <- struct{}{}
		running.Go(func() {
			defer func() { <-turns }()
			do(i)
		})
	}
	running.Wait()
}
