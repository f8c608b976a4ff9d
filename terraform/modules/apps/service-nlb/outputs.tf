output "service_name" {
  description = "Name of the ECS service."
  value       = module.service.service_name
}

output "task_definition_arn" {
  description = "ARN of the task definition that Terraform registered last. What runs is the pipeline's, and may be newer."
  value       = module.service.task_definition_arn
}

output "rollout_command" {
  description = "What rolls out a change that Terraform made to the task definition, when you want it: Terraform does not deploy, and pipelines change nothing but the image."
  value       = module.service.rollout_command
}

output "family" {
  description = "Family of the task definitions."
  value       = module.service.family
}

output "task_role_name" {
  description = "Name of the task role, to add policies to it."
  value       = module.service.task_role_name
}

output "role_arns" {
  description = "ARNs of the task role and the execution role: what the pipelines' role must be allowed to pass."
  value       = module.service.role_arns
}

output "security_group_id" {
  description = "ID of the tasks' security group."
  value       = module.service.security_group_id
}

output "log_group_name" {
  description = "Name of the log group."
  value       = module.service.log_group_name
}

output "target_group_arn" {
  description = "ARN of the target group."
  value       = aws_lb_target_group.this.arn
}
