// Package sqs is as much of SQS as deployments need: standard queues, messages
// that are received, hidden and deleted, and dead letter queues.
//
//	SendMessage, Deliver ─► messages of the queue, oldest first
//	                          │ delayed, hidden: not before their time
//	ReceiveMessage ◄──────────┤    ▲
//	waits up to 20 s          │    └── visibility timeout ends
//	                          ▼
//	received more often than maxReceiveCount ─► dead letter queue
//
// Times are AWS's divided by the time scale. Messages are kept until they are
// deleted or the retention period ends; a restart loses none.
//
// What it does not do: FIFO queues (refused), encryption and permissions (kept,
// and ignored), move tasks, AddPermission, system attributes of senders. It hands
// out every message that is there, in order, where SQS samples its servers.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
package sqs
