# What is there before the applications: the network, two clusters that share
# their load balancers, the deployment repository and the artifact bucket.

data "aws_caller_identity" "current" {}

locals {
  registry = "${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.aws_region}.amazonaws.com"
  clusters = ["cluster1", "cluster2"]
  apps     = ["webapp1", "tcpapp1", "service1", "batchapp1"]
}

module "network" {
  source = "../../../modules/network"

  name               = "shop"
  availability_zones = [for zone in ["a", "b"] : "${var.aws_region}${zone}"]
  nat_gateways       = var.nat_gateways
}

module "cluster1" {
  source = "../../../modules/cluster"

  name   = "cluster1"
  vpc_id = module.network.vpc_id
  nlb    = { subnet_ids = module.network.public_subnet_ids, deletion_protection = var.deletion_protection }

  alb = {
    subnet_ids          = module.network.public_subnet_ids
    certificate_arn     = var.certificate_arn
    deletion_protection = var.deletion_protection
  }
}

# Its applications are behind the load balancers of cluster1.
module "cluster2" {
  source = "../../../modules/cluster"

  name = "cluster2"
}

module "deployment_repository" {
  source = "../../../modules/deployment-repository"

  name   = "deployment"
  branch = "main"

  apps = merge([for cluster in local.clusters : {
    for app in local.apps : "${cluster}/${app}" => { (app) = "${local.registry}/${app}:1.0.0" }
  }]...)
}

module "artifact_bucket" {
  source = "../../../modules/artifact-bucket"

  name          = var.artifact_bucket
  force_destroy = var.force_destroy
}
