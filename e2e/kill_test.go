//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway"
)

// A controller that is killed, whenever that is, goes on where it was when it is
// started again: every commit is deployed, each with one task definition and
// one deployment.
func TestKillNine(t *testing.T) {
	const kills = 12
	s := newSystem(t, "200")
	database := "sqlite:" + filepath.Join(s.dir, "slipway.db")
	running := s.start("serve", "--database", database, "--poll", "20ms")
	s.ready()
	app := slipway.App{Cluster: "cluster1", Name: "service1"}
	for i := range kills {
		image := fmt.Sprintf("111122223333.dkr.ecr.eu-west-1.amazonaws.com/service1:2.0.%d", i)
		if _, err := s.slipway("deploy", app.String(), "--image", image); err != nil {
			t.Fatal(err)
		}
		// Each round dies a little later after the push was seen.
		time.Sleep(time.Duration(i*7) * time.Millisecond) //nolint:forbidigo // any moment will do
		running.kill()
		running = s.start("serve", "--database", database, "--poll", "20ms")
		s.ready()
		s.await("the deployment of "+image, func() error { return deployed(s, app, image) })
	}

	s.once(app, kills)
}

// once checks that an app was deployed so many times, each with one task definition
// and one deployment.
func (s *system) once(app slipway.App, times int) {
	s.tb.Helper()
	client := ecs.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.aws),
		Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	})
	definitions, err := client.ListTaskDefinitions(s.tb.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(app.Cluster + "-" + app.Name)})
	if err != nil {
		s.tb.Fatal(err)
	}
	if got, want := len(definitions.TaskDefinitionArns), 1+times; got != want {
		s.tb.Errorf("%d task definitions, want %d: the seeded one and one a commit", got, want)
	}
	deployments, err := client.ListServiceDeployments(s.tb.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(app.Cluster), Service: aws.String(app.Name), MaxResults: aws.Int32(100),
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	if got, want := len(deployments.ServiceDeployments), 1+times; got != want {
		s.tb.Errorf("%d service deployments, want %d: the seeded one and one a commit", got, want)
	}
}

// deployed is nil once the newest commit of an app is deployed with this image.
func deployed(s *system, app slipway.App, image string) error {
	out, err := s.slipway("history", app.String(), "--limit", "1", "--output", "json")
	if err != nil {
		return err
	}
	var entries []slipway.HistoryEntry
	if err := json.Unmarshal(out, &entries); err != nil {
		return err
	}
	if len(entries) != 1 || entries[0].Images[0].URI != image {
		return fmt.Errorf("the newest commit is another one: %s", out)
	}
	if e := entries[0].Execution; e == nil || e.Outcome != slipway.OutcomeDeployed {
		return fmt.Errorf("not deployed yet: %s", out)
	}
	return nil
}
