// Package aws applies the Terraform examples and delivers with what they make: the
// article's system, end to end, with CodePipeline as the conductor.
//
//	terraform apply ──► sandbox: ECS, CodeCommit, CodePipeline, EventBridge, Lambda, SQS, CodeDeploy
//	                └─► moto: S3, IAM, EC2, ELB, alarms and log groups
//	git push, put-file ──► event ──► Lambda ──► one pipeline ──► ECS runs the image
//	terraform plan ──► nothing to change
//	calls of roles ──► allowed by the policies that Terraform attached (package policy)
//	calls of slipway ──► allowed by the policies in docs/
//	terraform destroy ──► nothing left
//
// It takes minutes, most of which the AWS provider waits for load balancers, and so
// runs by make e2e-aws and in continuous integration, not by make e2e alone. It needs
// terraform, the AWS provider, moto_server, git, the AWS CLI, bash and jq, fetches none
// of them, and is skipped, saying so, where one is missing. The functions are the real
// binary, which the sandbox runs.
//
// CodeDeploy shifts traffic in moto's load balancers, so that Terraform sees it. Our own
// provider runs beside the AWS one, and reads CodeCommit; so does a stand-in for
// hashicorp/external, with programs. Each example has a sandbox and a moto of its own,
// so that both go at once.
package aws
