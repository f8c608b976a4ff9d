package controlplane

import (
	"net/http"

	"golang.org/x/time/rate"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// bucket is a token bucket of ECS's that several actions share.
type bucket struct {
	burst     int
	sustained float64 // per second
	actions   []string
}

// buckets are ECS's own rates, per account and Region.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
func buckets() []bucket {
	return []bucket{
		{20, 1, []string{"CreateCluster", "DeleteCluster", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders"}},
		{50, 20, []string{"DescribeClusters", "ListClusters"}},
		{20, 1, []string{"RegisterTaskDefinition", "DeregisterTaskDefinition"}},
		{50, 20, []string{"DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"}},
		{5, 1, []string{"DeleteTaskDefinitions"}},
		{20, 10, []string{"TagResource", "UntagResource"}},
		{50, 20, []string{"ListTagsForResource"}},
		{100, 40, []string{"RunTask", "StartTask", "StopTask"}},
		{100, 20, []string{"DescribeTasks", "ListTasks"}},
		// Where the last two belong is not documented.
		{50, 5, []string{"CreateService", "UpdateService", "DeleteService", "StopServiceDeployment", "ContinueServiceDeployment"}},
		{100, 20, []string{"DescribeServices", "ListServices"}},
		{50, 20, []string{"DescribeServiceDeployments", "ListServiceDeployments"}},
		{50, 20, []string{"DescribeServiceRevisions"}},
		{100, 20, []string{"CreateTaskSet", "UpdateTaskSet", "DeleteTaskSet", "UpdateServicePrimaryTaskSet", "DescribeTaskSets"}},
	}
}

// Throttle serves next at ECS's own rates: a request beyond them is answered as
// AWS does, ThrottlingException. factor multiplies burst and rate: 1 is ECS in
// real time, and a control plane whose time is scaled wants its scale; at least
// one request at a time is served.
func Throttle(next http.Handler, factor float64) http.Handler {
	limits := map[string]*rate.Limiter{}
	for _, b := range buckets() {
		limiter := rate.NewLimiter(rate.Limit(b.sustained*factor), max(1, int(float64(b.burst)*factor)))
		for _, action := range b.actions {
			limits[action] = limiter
		}
	}
	return awsjson.Faults(next, func(operation string) *awsjson.Fault {
		if limiter := limits[operation]; limiter != nil && !limiter.Allow() {
			return awsjson.Throttled()
		}
		return nil
	})
}
