output "task_definition_arn" {
  description = "ARN of the task definition that Terraform registered last. What runs is the pipeline's, and may be newer."
  value       = aws_ecs_task_definition.this.arn
}

output "family" {
  description = "Family of the task definitions."
  value       = aws_ecs_task_definition.this.family
}

output "task_role_arn" {
  description = "ARN of the task role."
  value       = aws_iam_role.task.arn
}

output "task_role_name" {
  description = "Name of the task role, to add policies to it."
  value       = aws_iam_role.task.name
}

output "execution_role_arn" {
  description = "ARN of the execution role."
  value       = aws_iam_role.execution.arn
}

output "role_arns" {
  description = "ARNs of both roles: what the pipelines' role must be allowed to pass."
  value       = [aws_iam_role.task.arn, aws_iam_role.execution.arn]
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}
