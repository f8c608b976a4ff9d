package slipway

import "time"

// TriggerKind says why an execution began.
type TriggerKind string

// The kinds of Trigger. Push, webhook, event and poll are ways to notice a
// commit; manual, retry and rollback are a person's.
const (
	TriggerPush     TriggerKind = "push"
	TriggerWebhook  TriggerKind = "webhook"
	TriggerEvent    TriggerKind = "event"
	TriggerPoll     TriggerKind = "poll"
	TriggerManual   TriggerKind = "manual"
	TriggerRetry    TriggerKind = "retry"
	TriggerRollback TriggerKind = "rollback"
)

// Trigger says why an execution began, and who or what caused it.
type Trigger struct {
	Kind TriggerKind `json:"kind"`
	// By is the person or the commit's author.
	By string `json:"by,omitempty"`
	// Delivery identifies the message that brought the news, so that its
	// redelivery can be recognised; empty where the source has no such id.
	Delivery string `json:"delivery,omitempty"`
	// At is when the news reached us.
	At time.Time `json:"at"`
}
