output "aws_region" {
  description = "Region of everything."
  value       = var.aws_region
}

output "network" {
  description = "Where the tasks run."
  value       = module.network
}

output "clusters" {
  description = "The clusters, by name."
  value       = { cluster1 = module.cluster1, cluster2 = module.cluster2 }
}

output "repository_name" {
  description = "Name of the deployment repository."
  value       = module.deployment_repository.name
}

output "branch" {
  description = "Branch that is deployed."
  value       = module.deployment_repository.branch
}

output "artifact_bucket" {
  description = "Name of the bucket of CodePipeline's artifacts."
  value       = module.artifact_bucket.name
}

output "seed_script" {
  description = "Pushes the repository's first commit."
  value       = module.deployment_repository.seed_script
}
