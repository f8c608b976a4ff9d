// Package lambda is AWS Lambda, as far as a delivery needs it: functions of zip
// files, which run as processes of this machine, and functions of this process.
//
//	CreateFunction ─► function {versions, policy, rules for its events}
//	                      │
//	Invoke ───────────────┤ at once             ┌─► handler in this process (Register)
//	hooks, actions        ├──────────► run ─────┤
//	                      │                     └─► environment: bootstrap ◄──► Runtime API
//	Invoke Event ─► event ┘                             │ stdout, stderr
//	EventBridge       │ failed: again after 1, 2 min    ▼
//	                  ▼ and then                    CloudWatch Logs
//	              Queues, other functions
//
// Other services call functions through [Service.Invoke], which waits for the
// answer, and [Service.InvokeEvent], which does not. Both find a function that was
// created here or registered, by its ARN or name; what is not here is looked for
// [Elsewhere].
//
// An environment is a process in a group of its own, with a Runtime API on a port
// of loopback of its own; it runs one invocation at a time, is kept for the next,
// and is killed as a group: at a timeout, when the function changes, when nobody
// needs it, and with the Service. The function's own time is the machine's: its
// timeout is not scaled, for the program in it is a real one.
//
// The state has the functions and the events on their way; the code is in folders
// beside it, by its hash.
//
// What it does not do: container images, code in S3, layers (kept, not there when
// it runs), runtimes that are no program named bootstrap, aliases, event source
// mappings, function URLs, provisioned concurrency, response streaming, roles (the
// policy is kept, and nobody is refused). A changed function runs as it is now at
// once, where Lambda runs what was until the update is done. Memory is not limited.
//
// https://docs.aws.amazon.com/lambda/latest/api/welcome.html
package lambda
