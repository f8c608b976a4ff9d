package controlplane

import "time"

// The times that ECS itself takes. Those of load balancers and of containers
// are the runtime's.
const (
	// schedulerPass is how long the service scheduler takes to react to a
	// change. Ours: real deployments show seconds.
	schedulerPass = 5 * time.Second
	// provisioningTime is how long a task waits for its network interface, and
	// pullTime how long the image takes. Together with activatingTime they make
	// the 40 s from start to registration that real Fargate tasks show.
	provisioningTime = 10 * time.Second
	pullTime         = 25 * time.Second
	// pullFailure is how long ECS retries a pull before it gives the task up:
	// the first failure shows after two and a half minutes.
	pullFailure = 2 * time.Minute
	// secretFailure is how long ECS retries before it gives a secret up, and
	// placementRetry how long it leaves a task that has no room. Both ours.
	secretFailure  = 10 * time.Second
	placementRetry = 1 * time.Minute
	// activatingTime is from running containers to registered targets.
	activatingTime = 2 * time.Second
	// deactivatingTime is what a task without targets takes to begin to stop.
	deactivatingTime = 1 * time.Second
	// deprovisioningTime is how long the network interface takes to go, as seen.
	deprovisioningTime = 15 * time.Second
	// healthyAfter is how long a task without any health check must have been
	// RUNNING to count as healthy.
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
	healthyAfter = 40 * time.Second
	// stopTimeout is from SIGTERM to SIGKILL when the container does not say.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
	stopTimeout = 30 * time.Second
	// stoppedTaskKept is how long a stopped task can be described.
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
	stoppedTaskKept = 1 * time.Hour
	// eventSuppressed is how long an event is not repeated while its cause lasts.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html
	eventSuppressed = 6 * time.Hour
	// backOffFirst and backOffMost bound the throttle on tasks that do not start.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
	backOffFirst = 4 * time.Minute
	backOffMost  = 27 * time.Minute

	// stageMost is how long a stage may take, and networkShift what a traffic shift
	// behind a Network Load Balancer takes longer.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-implementation.html
	stageMost    = 24 * time.Hour
	networkShift = 10 * time.Minute
	// alarmPoll is how often alarms are looked at: real rollbacks began twenty
	// seconds after ALARM. alarmBake is what ECS chooses as the bake time with
	// alarms, "less than 5 minutes".
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
	alarmPoll = 20 * time.Second
	alarmBake = 4 * time.Minute
	// hookTimeout is how long a hook has by default, callBackDelay when it is called
	// again, hookCallMost how long a call may take; leastCall is real time for it,
	// at any scale.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
	hookTimeout   = 24 * time.Hour
	callBackDelay = 30 * time.Second
	hookCallMost  = 15 * time.Minute
	leastCall     = 2 * time.Second

	// The defaults of a container's health check.
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
	checkInterval = 30 * time.Second
	checkRetries  = 3
	// slowStart is how long a container of a -slow image fails its health check.
	slowStart = 90 * time.Second
)

// What ECS keeps and takes at once.
const (
	eventsKept              = 100
	describeServicesMost    = 10
	describeTasksMost       = 100
	describeDeploymentsMost = 20
	tagsMost                = 50
	containersMost          = 10
	runTaskMost             = 10
	taskDefinitionMostBytes = 64 << 10
	imageMostCharacters     = 255
	bakeMost                = 1440  // minutes
	hooksMost               = 10    // of each kind
	pauseMost               = 20160 // minutes
)
