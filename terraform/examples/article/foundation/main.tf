# What is there before the applications: the network, the cluster, the deployment
# repository with its structure, and the build bucket.

data "aws_caller_identity" "current" {}

locals {
  registry = coalesce(var.registry, "${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.aws_region}.amazonaws.com")
  apps     = ["webapp1", "tcpapp1", "service1", "batchapp1"]
}

module "network" {
  source = "../../../modules/network"

  name               = "cluster1"
  availability_zones = ["${var.aws_region}a", "${var.aws_region}b"]
  # The tasks run in the public subnets: this is an example.
  nat_gateways = "none"
}

module "cluster1" {
  source = "../../../modules/cluster"

  name   = "cluster1"
  vpc_id = module.network.vpc_id
  alb    = { subnet_ids = module.network.public_subnet_ids, deletion_protection = false }
  nlb    = { subnet_ids = module.network.public_subnet_ids, deletion_protection = false }
}

module "deployment_repository" {
  source = "../../../modules/deployment-repository"

  name   = "deployment"
  branch = "master"
  apps   = { for app in local.apps : "cluster1/${app}" => { (app) = "${local.registry}/${app}:1.0.0" } }
}

module "build_bucket" {
  source = "../../../modules/artifact-bucket"

  name          = var.build_bucket
  force_destroy = true
}
