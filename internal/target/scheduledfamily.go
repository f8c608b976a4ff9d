package target

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

// jobs are a batch app's targets.
type jobs struct {
	family  string
	targets []schedule.Target // ordered by name
	// runs is the ARN that each target runs, by its name; see newestOf.
	runs map[string]string
}

// arns are the task definitions that the jobs run, each once, the oldest first.
func (j jobs) arns() []string {
	return slices.SortedFunc(maps.Keys(keyed(maps.Values(j.runs))), func(a, b string) int { return revision(a) - revision(b) })
}

func keyed(values func(func(string) bool)) map[string]bool {
	keys := map[string]bool{}
	for value := range values {
		keys[value] = true
	}
	return keys
}

// jobs finds the targets of a place's app: those that run, in its cluster, a task
// definition of its family. The family is the one that the place names, or the one
// of the app's name, or of the cluster's and the app's; or, where the app is said to
// be a batch app, the only one that has a container of the app's name.
//
// Where it is not said, a container's name is not enough: a service's image often
// runs in other tasks as well, for example to migrate a database.
func (c *client) jobs(ctx context.Context, place slipway.Place) (jobs, error) {
	cluster, err := c.clusterARN(ctx, place.Cluster)
	if err != nil {
		return jobs{}, err
	}
	all, err := c.timers.Find(ctx, cluster)
	if err != nil {
		return jobs{}, err
	}
	families := map[string][]schedule.Target{}
	for _, t := range all {
		family := schedule.Family(t.TaskDefinition)
		families[family] = append(families[family], t)
	}
	for _, family := range familyNames(place) {
		if found := families[family]; found != nil {
			return jobsOf(family, found), nil
		}
	}
	if place.Family != "" || place.Kind != slipway.KindSchedule {
		return jobs{}, noJobs(place, slices.Sorted(maps.Keys(families)))
	}
	var having []string
	for _, family := range slices.Sorted(maps.Keys(families)) {
		images, err := c.imagesOfNewest(ctx, jobsOf(family, families[family]))
		if err != nil {
			return jobs{}, err
		}
		if slices.ContainsFunc(images, func(i slipway.Image) bool { return i.Container == place.Service }) {
			having = append(having, family)
		}
	}
	switch len(having) {
	case 0:
		return jobs{}, noJobs(place, slices.Sorted(maps.Keys(families)))
	case 1:
		return jobsOf(having[0], families[having[0]]), nil
	}
	return jobs{}, &slipway.Error{
		Next: slipway.NextPerson,
		Message: fmt.Sprintf("schedules of cluster %s run %d families of task definitions with a container %s: %s",
			place.Cluster, len(having), place.Service, strings.Join(having, ", ")),
		Hint: "name the app's family in its pipeline.yaml (target: {kind: schedule, family: NAME})",
	}
}

// familyNames are the families that a place means, the likeliest first.
func familyNames(place slipway.Place) []string {
	if place.Family != "" {
		return []string{place.Family}
	}
	return []string{place.Service, place.Cluster + "-" + place.Service}
}

func jobsOf(family string, targets []schedule.Target) jobs {
	found := jobs{family: family, targets: targets, runs: map[string]string{}}
	for _, t := range targets {
		found.runs[t.Name] = t.TaskDefinition
	}
	return found
}

// imagesOfNewest are the images of the newest task definition that some jobs run.
func (c *client) imagesOfNewest(ctx context.Context, jobs jobs) ([]slipway.Image, error) {
	newest, err := c.newestOf(ctx, jobs)
	if err != nil {
		return nil, err
	}
	return c.imagesOf(ctx, newest)
}

// noJobs says that nothing runs the app, and what else is run there.
func noJobs(place slipway.Place, families []string) error {
	hint := "create a schedule that runs it (Slipway moves schedules, it does not make them)"
	if len(families) > 0 {
		hint += ", or name the app's family in its pipeline.yaml (target: {kind: schedule, family: NAME}); scheduled there are " + listed(families)
	}
	return &slipway.Error{
		Next: slipway.NextPerson, Kind: slipway.ErrNoService, Hint: hint,
		Message: fmt.Sprintf("no rule of EventBridge and no schedule runs a task definition of family %s in cluster %s",
			strings.Join(familyNames(place), " or "), place.Cluster),
	}
}

// mostListed is how many names a message lists.
const mostListed = 5

// listed writes names for a message.
func listed(names []string) string {
	if more := len(names) - mostListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// clusterARN is the ARN of a cluster, which is what rules and schedules have as
// their target.
func (c *client) clusterARN(ctx context.Context, name string) (string, error) {
	if arn, known := c.clusters.get(name); known {
		return arn, nil
	}
	out, err := c.api.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{name}})
	if err != nil {
		return "", c.explain(ctx, err, "cannot read cluster "+name)
	}
	if len(out.Clusters) == 0 {
		return "", &slipway.Error{
			Next: slipway.NextPerson, Kind: slipway.ErrNoService, Message: fmt.Sprintf("there is no cluster %s in %s", name, c.region),
			Hint: "create the cluster, or correct the cluster, its region and its role (an app's cluster is its folder's, unless slipway.yaml or pipeline.yaml says otherwise)",
		}
	}
	arn := aws.ToString(out.Clusters[0].ClusterArn)
	c.clusters.put(name, arn)
	return arn, nil
}

// newTimers is a client for EventBridge and its Scheduler beside this one of ECS.
func (c *client) newTimers() *schedule.Client {
	beside := &client{region: c.region, role: c.role, endpoint: c.endpoint, called: "EventBridge", log: c.log}
	return schedule.New(schedule.Options{
		Config: c.config, Endpoint: c.elsewhere(), Retryer: c.budget.retryer(),
		Once: paced{RetryerV2: aws.NopRetryer{}, budget: c.budget}, Explain: beside.explain,
	})
}
