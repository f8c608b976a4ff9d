package codepipeline_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// TestCalls: what AWS would call for an execution is told with the pipeline's role:
// the artifact is an object in S3.
func TestCalls(t *testing.T) {
	var mu sync.Mutex
	var told []string
	note := func(c trail.Call) {
		mu.Lock()
		defer mu.Unlock()
		if c.Role != role {
			t.Errorf("%s:%s is called by %s", c.Service, c.Operation, c.Role)
		}
		told = append(told, c.Service+":"+c.Operation)
	}
	in(t, func(r *rig) {
		r.w.Service("cluster1", "shop", sandboxtest.ByCodeDeploy())
		files := templates("1.1")
		maps.Copy(files, revision("1.1"))
		r.repository.commit("Deploy 1.1", files)
		r.ends(r.create(declaration(stage("Deploy", deployAction(nil)), stage("Shift", codeDeployAction()))), succeeded)
	}, sandboxtest.Trail(note))
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(told)
	want := "codecommit:GetBranch codecommit:GetCommit codecommit:GetUploadArchiveStatus codecommit:UploadArchive codedeploy:CreateDeployment codedeploy:GetDeployment " +
		"ecs:DescribeServices ecs:DescribeTaskDefinition ecs:RegisterTaskDefinition ecs:UpdateService s3:GetObject s3:PutObject"
	if got := strings.Join(slices.Compact(told), " "); got != want {
		t.Errorf("told\n%s, want\n%s", got, want)
	}
}
