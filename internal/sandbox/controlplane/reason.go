package controlplane

// The reasons of a service deployment's status, in ECS's words.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
const (
	rolledBack        = "Service deployment rolled back because "
	reasonBreaker     = rolledBack + "the circuit breaker threshold was exceeded."
	reasonAlarm       = rolledBack + "of one or more active alarms."
	reasonNoCandidate = "No rollback candidate was found to run the rollback"
	// ECS's own words for these are not known.
	reasonStopRequest  = rolledBack + "of a stop request."
	reasonStageTooLong = rolledBack + "the SCALE_UP stage exceeded 24 hours."
)

// refusedByHook is the reason when a function fails.
func refusedByHook(at stage, what string) string {
	return rolledBack + string(at) + " lifecycle hook(s) failed. " + what
}

// refusedByTimeout is the reason when a hook is out of time: the target is empty
// for a PAUSE hook. What is said of a function is ours.
func refusedByTimeout(at stage, target string) string {
	if target == "" {
		return rolledBack + string(at) + " pause hook timed out."
	}
	return refusedByHook(at, "Lifecycle hook target "+target+" timed out.")
}

// refusedByPerson is the reason when somebody has a PAUSE hook roll back (ours).
func refusedByPerson(at stage) string {
	return rolledBack + string(at) + " pause hook was rolled back."
}
