// Package scheduler is as much of EventBridge Scheduler as scheduled ECS tasks
// need: schedules in groups, which run their target on time.
//
//	CreateSchedule ─► schedule {expression, zone, window, state, target}
//	UpdateSchedule ─► all of it, anew      │
//	                                       │ on time, from StartDate to EndDate
//	                                       ▼
//	                                    RunTask ─► Invocations
//
// UpdateSchedule replaces the schedule as a whole: what is left out falls back to
// its default. The target is kept as the document that it came as, with AWS's
// defaults, so members that this version does not know come back as well.
//
// Its operations speak awsJson here; package protocol makes AWS's restJson1 of
// them. A target that fails is counted by [Service.Invocations] and logged.
//
// What it does not do: retries and dead letters, targets other than ECS, the
// waiting time of a flexible window (it runs at once), roles, keys.
//
// https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html
package scheduler
