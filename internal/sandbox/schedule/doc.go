// Package schedule is the clockwork of EventBridge's scheduled rules and of
// EventBridge Scheduler: it reads rate(), cron() and at(), and calls what they
// say on time.
//
//	Parse("cron(0 12 ? * MON-FRI *)") ─► Schedule ─► Timetable ─► run()
//	                                     when next?   one timer for each key
//
// Times are those of a Clock, which begins at the machine's time and runs as
// many times as fast as the sandbox's time scale says: at a scale of 10,
// rate(5 minutes) is due every half minute, and noon comes after a tenth of the
// time that it would take. Nothing blocks, every wait is a timer, so all of it
// works in a testing/synctest bubble.
//
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
package schedule
