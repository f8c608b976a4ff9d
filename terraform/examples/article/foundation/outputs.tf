output "aws_region" {
  description = "Region of everything."
  value       = var.aws_region
}

output "network" {
  description = "Where the tasks run."
  value = {
    vpc_id     = module.network.vpc_id
    subnet_ids = module.network.public_subnet_ids
  }
}

output "cluster1" {
  description = "The cluster and its load balancers."
  value       = module.cluster1
}

output "repository_name" {
  description = "Name of the deployment repository."
  value       = module.deployment_repository.name
}

output "branch" {
  description = "Branch that is deployed."
  value       = module.deployment_repository.branch
}

output "build_bucket" {
  description = "Name of the bucket of CodePipeline's artifacts."
  value       = module.build_bucket.name
}

output "seed_script" {
  description = "Pushes the repository's first commit."
  value       = module.deployment_repository.seed_script
}
