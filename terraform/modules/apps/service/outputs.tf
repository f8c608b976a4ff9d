output "service_name" {
  description = "Name of the ECS service."
  value       = local.service.name
}

output "task_definition_arn" {
  description = "ARN of the task definition that Terraform registered last. What runs is the pipeline's, and may be newer."
  value       = module.template.task_definition_arn
}

output "rollout_command" {
  description = "What rolls out a change that Terraform made to the task definition, when you want it: Terraform does not deploy, and pipelines change nothing but the image."
  value       = "aws ecs update-service --cluster ${var.cluster_name} --service ${local.service.name} --task-definition ${module.template.task_definition_arn}"
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

output "security_group_id" {
  description = "ID of the tasks' security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "Name of the log group."
  value       = module.template.log_group_name
}
