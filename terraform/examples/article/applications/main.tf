# The applications of cluster1. None of them has an image here: the deployment
# repository says which, but for service1, which takes the article's other way.

data "terraform_remote_state" "foundation" {
  backend = "local"

  config = {
    path = "../foundation/terraform.tfstate"
  }
}

locals {
  foundation = data.terraform_remote_state.foundation.outputs
  cluster1   = local.foundation.cluster1
}

data "slipway_revision" "cluster1" {
  for_each = toset(["webapp1", "tcpapp1", "batchapp1"])

  cluster = local.cluster1.name
  app     = each.key
}

module "webapp1" {
  source = "../../../modules/apps/service-alb"

  env_name                     = "article"
  cluster_name                 = local.cluster1.name
  service_name                 = "webapp1"
  cpu                          = 256
  memory                       = 512
  port                         = 8080
  image                        = data.slipway_revision.cluster1["webapp1"].image_uri
  app_policies                 = [aws_iam_policy.webapp1.arn]
  alb_listener_priority_offset = 10
  alb_listener_arn             = local.cluster1.alb_listener_arn
  alb_security_group_id        = local.cluster1.alb_security_group_id
  vpc_id                       = local.foundation.network.vpc_id
  subnet_ids                   = local.foundation.network.subnet_ids
  assign_public_ip             = true
}

module "tcpapp1" {
  source = "../../../modules/apps/service-nlb"

  env_name         = "article"
  cluster_name     = local.cluster1.name
  service_name     = "tcpapp1"
  cpu              = 256
  memory           = 512
  port             = 9000
  image            = data.slipway_revision.cluster1["tcpapp1"].image_uri
  app_policies     = []
  nlb_arn          = local.cluster1.nlb_arn
  vpc_id           = local.foundation.network.vpc_id
  subnet_ids       = local.foundation.network.subnet_ids
  assign_public_ip = true
}

module "service1" {
  source = "../../../modules/apps/service"

  env_name         = "article"
  cluster_name     = local.cluster1.name
  service_name     = "service1"
  cpu              = 256
  memory           = 512
  image            = var.service1_image
  image_source     = "ignore"
  app_policies     = []
  vpc_id           = local.foundation.network.vpc_id
  subnet_ids       = local.foundation.network.subnet_ids
  assign_public_ip = true
}

module "batchapp1" {
  source = "../../../modules/apps/batch"

  env_name            = "article"
  cluster_name        = local.cluster1.name
  cluster_arn         = local.cluster1.arn
  service_name        = "batchapp1"
  cpu                 = 256
  memory              = 512
  schedule_expression = "cron(0 3 * * ? *)"
  image               = data.slipway_revision.cluster1["batchapp1"].image_uri
  app_policies        = []
  vpc_id              = local.foundation.network.vpc_id
  subnet_ids          = local.foundation.network.subnet_ids
  assign_public_ip    = true
}

# What webapp1 may do, as an example.
resource "aws_iam_policy" "webapp1" {
  name = "cluster1-webapp1"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::example-webapp1/*"
    }]
  })
}
