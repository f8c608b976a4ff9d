output "rule_name" {
  description = "Name of the EventBridge rule that runs the tasks."
  value       = aws_cloudwatch_event_rule.this.name
}

output "task_definition_arn" {
  description = "ARN of the task definition that Terraform registered last. What runs is the pipeline's, and may be newer."
  value       = module.template.task_definition_arn
}

output "family" {
  description = "Family of the task definitions."
  value       = module.template.family
}

output "task_role_name" {
  description = "Name of the task role, to add policies to it."
  value       = module.template.task_role_name
}

output "role_arns" {
  description = "ARNs of the task role and the execution role: what the pipelines' role must be allowed to pass."
  value       = module.template.role_arns
}

output "events_role_arn" {
  description = "ARN of the role that the rule starts tasks with: what the deploy function must be allowed to pass."
  value       = aws_iam_role.events.arn
}

output "security_group_id" {
  description = "ID of the tasks' security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "Name of the log group."
  value       = module.template.log_group_name
}
