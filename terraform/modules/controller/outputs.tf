output "dns_name" {
  description = "Host name of the load balancer: give the certificate's name to it. The OIDC client's redirect URL is `https://NAME/oauth2/idpresponse`."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone of the load balancer, for an alias record."
  value       = aws_lb.this.zone_id
}

output "task_role_arn" {
  description = "ARN of the task role: what roles in other accounts trust."
  value       = aws_iam_role.task.arn
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "database_secret_arn" {
  description = "ARN of the secret with the password of the database in RDS; null on EFS."
  value       = local.secret_arn
}

output "file_system_id" {
  description = "ID of the file system that the database is on; null on RDS."
  value       = one(aws_efs_file_system.this[*].id)
}
