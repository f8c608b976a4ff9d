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
