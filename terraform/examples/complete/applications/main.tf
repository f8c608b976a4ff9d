# Four applications in each of two clusters, whose images are all read from the
# deployment repository.

data "terraform_remote_state" "foundation" {
  backend = "s3"
  config  = var.foundation_state
}

locals {
  foundation = data.terraform_remote_state.foundation.outputs
  clusters   = local.foundation.clusters
  # The load balancers that both clusters share.
  shared = local.clusters["cluster1"]
  # Each cluster's own place behind them.
  offset = { cluster1 = 0, cluster2 = 1 }
  # CodeDeploy deploys the web app of the second cluster, as a canary.
  controller = { cluster1 = "ECS", cluster2 = "CODE_DEPLOY" }
}

data "slipway_revision" "this" {
  for_each = toset(flatten([for cluster in keys(local.offset) : [
    for app in ["webapp1", "tcpapp1", "service1", "batchapp1"] : "${cluster}/${app}"
  ]]))

  cluster = dirname(each.key)
  app     = basename(each.key)
}

module "webapp1" {
  source   = "../../../modules/apps/service-alb"
  for_each = local.offset

  env_name                     = "shop"
  cluster_name                 = local.clusters[each.key].name
  service_name                 = "webapp1"
  cpu                          = 256
  memory                       = 512
  port                         = 8080
  image                        = data.slipway_revision.this["${each.key}/webapp1"].image_uri
  app_policies                 = []
  alb_listener_priority_offset = 100 + each.value
  alb_listener_arn             = local.shared.alb_listener_arn
  alb_security_group_id        = local.shared.alb_security_group_id
  host_headers                 = ["${each.key}.shop.example.com"]
  deployment_controller        = local.controller[each.key]
  deployment_config_name       = "CodeDeployDefault.ECSCanary10Percent5Minutes"
  vpc_id                       = local.foundation.network.vpc_id
  subnet_ids                   = local.foundation.network.private_subnet_ids
}

module "tcpapp1" {
  source   = "../../../modules/apps/service-nlb"
  for_each = local.offset

  env_name      = "shop"
  cluster_name  = local.clusters[each.key].name
  service_name  = "tcpapp1"
  cpu           = 256
  memory        = 512
  port          = 9000
  listener_port = 9000 + each.value
  image         = data.slipway_revision.this["${each.key}/tcpapp1"].image_uri
  app_policies  = []
  nlb_arn       = local.shared.nlb_arn
  vpc_id        = local.foundation.network.vpc_id
  subnet_ids    = local.foundation.network.private_subnet_ids
}

module "service1" {
  source   = "../../../modules/apps/service"
  for_each = local.offset

  env_name     = "shop"
  cluster_name = local.clusters[each.key].name
  service_name = "service1"
  cpu          = 256
  memory       = 512
  image        = data.slipway_revision.this["${each.key}/service1"].image_uri
  app_policies = []
  vpc_id       = local.foundation.network.vpc_id
  subnet_ids   = local.foundation.network.private_subnet_ids
}

module "batchapp1" {
  source   = "../../../modules/apps/batch"
  for_each = local.offset

  env_name            = "shop"
  cluster_name        = local.clusters[each.key].name
  cluster_arn         = local.clusters[each.key].arn
  service_name        = "batchapp1"
  cpu                 = 256
  memory              = 512
  schedule_expression = "cron(0 3 * * ? *)"
  image               = data.slipway_revision.this["${each.key}/batchapp1"].image_uri
  app_policies        = []
  vpc_id              = local.foundation.network.vpc_id
  subnet_ids          = local.foundation.network.private_subnet_ids
}
