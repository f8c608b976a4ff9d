output "name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "alb_arn" {
  description = "ARN of the Application Load Balancer; null without."
  value       = one(aws_lb.alb[*].arn)
}

output "alb_dns_name" {
  description = "Host name of the Application Load Balancer; null without."
  value       = one(aws_lb.alb[*].dns_name)
}

output "alb_listener_arn" {
  description = "ARN of the listener that the applications add their rules to; null without."
  value       = one(aws_lb_listener.alb[*].arn)
}

output "alb_security_group_id" {
  description = "ID of the Application Load Balancer's security group; null without."
  value       = one(aws_security_group.alb[*].id)
}

output "nlb_arn" {
  description = "ARN of the Network Load Balancer; null without."
  value       = one(aws_lb.nlb[*].arn)
}

output "nlb_dns_name" {
  description = "Host name of the Network Load Balancer; null without."
  value       = one(aws_lb.nlb[*].dns_name)
}
