package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway"
)

// servicePage is how many services one call lists. API reference, ListServices.
const servicePage = 100

// atOnce is how many places are asked about at once: enough for full calls, and
// few enough for a deployment's own calls to find their turn in between.
const atOnce = 10 * batchSize

// Running says what runs at each of some places, in their order. What cannot be
// said of one place is that one's Err; the error is that of ctx alone.
func (e *ECS) Running(ctx context.Context, places []slipway.Place) ([]slipway.Running, error) {
	all := make([]slipway.Running, 0, len(places))
	for some := range slices.Chunk(places, atOnce) {
		said := make([]slipway.Running, len(some))
		var asked sync.WaitGroup
		for i, place := range some {
			asked.Go(func() {
				said[i] = e.running(ctx, place)
			})
		}
		asked.Wait()
		all = append(all, said...)
	}
	return all, ctx.Err()
}

func (e *ECS) running(ctx context.Context, place slipway.Place) slipway.Running {
	nothing := func(err error) slipway.Running { return slipway.Running{Place: place, Err: err} }
	c, err := e.client(ctx, place)
	if err != nil {
		return nothing(err)
	}
	s, err := c.deployable(ctx, place)
	if err != nil {
		return nothing(err)
	}
	current := primary(s)
	arn := aws.ToString(current.TaskDefinition)
	images, err := c.imagesOf(ctx, arn)
	if err != nil {
		return nothing(err)
	}
	return slipway.Running{
		Place: place, TaskDefinition: arn, Images: slices.Clone(images), Since: aws.ToTime(current.CreatedAt),
		Steady: len(s.Deployments) == 1 && complete(s, current) && current.RunningCount == current.DesiredCount,
	}
}

// places are those of all services of a place's cluster, ordered by name; the
// place's own service does not matter.
func (e *ECS) places(ctx context.Context, place slipway.Place) ([]slipway.Place, error) {
	c, err := e.client(ctx, place)
	if err != nil {
		return nil, err
	}
	var places []slipway.Place
	pages := ecs.NewListServicesPaginator(c.api, &ecs.ListServicesInput{
		Cluster: aws.String(place.Cluster), MaxResults: aws.Int32(servicePage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.explain(ctx, err, fmt.Sprintf("cannot list the services of cluster %s", place.Cluster))
		}
		for _, arn := range page.ServiceArns {
			place.Service = lastPart(arn)
			places = append(places, place)
		}
	}
	slices.SortFunc(places, func(a, b slipway.Place) int { return strings.Compare(a.Service, b.Service) })
	return places, nil
}
