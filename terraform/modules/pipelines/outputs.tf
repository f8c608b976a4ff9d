output "names" {
  description = "Names of the pipelines, by the keys of `pipelines`."
  value       = { for key, pipeline in aws_codepipeline.this : key => pipeline.name }
}

output "arns" {
  description = "ARNs of the pipelines, by the keys of `pipelines`."
  value       = { for key, pipeline in aws_codepipeline.this : key => pipeline.arn }
}

output "role_arn" {
  description = "ARN of the pipelines' role."
  value       = aws_iam_role.this.arn
}
