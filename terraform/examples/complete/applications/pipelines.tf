locals {
  # What CodePipeline deploys itself, and what the function deploys.
  services = concat(values(module.webapp1), values(module.tcpapp1))
  batches  = values(module.batchapp1)
  others   = concat(values(module.service1), local.batches, [module.webapp1["cluster2"]])
}

module "pipelines" {
  source = "../../../modules/pipelines"

  repository_name      = local.foundation.repository_name
  branch               = local.foundation.branch
  artifact_bucket      = local.foundation.artifact_bucket
  deploy_function_name = module.deploy_function.name
  task_role_arns       = flatten([for service in local.services : service.role_arns])

  pipelines = merge([for cluster in keys(local.offset) : {
    "${cluster}/webapp1" = {
      cluster_name = cluster
      app_name     = module.webapp1[cluster].service_name
      action       = local.controller[cluster] == "CODE_DEPLOY" ? var.codedeploy_action : "ECS"
      codedeploy   = var.codedeploy_action == "CodeDeployToECS" ? module.webapp1[cluster].codedeploy : null
      # The web app of the second cluster is approved by a person too.
      approval = cluster == "cluster2" ? { comment = "Deploy webapp1 to cluster2?" } : null
    }
    "${cluster}/tcpapp1" = {
      cluster_name       = cluster
      app_name           = module.tcpapp1[cluster].service_name
      execution_mode     = "QUEUED"
      deployment_timeout = 20
    }
    "${cluster}/service1" = {
      cluster_name = cluster
      app_name     = module.service1[cluster].service_name
      action       = "Lambda"
    }
    "${cluster}/batchapp1" = {
      cluster_name = cluster
      app_name     = "batchapp1"
      action       = "Lambda"
    }
  }]...)
}

module "trigger" {
  source = "../../../modules/trigger"

  repository_name = local.foundation.repository_name
  branch          = local.foundation.branch
  pipeline_arns   = values(module.pipelines.arns)
  alarm_actions   = var.alarm_actions
  lambda_zip      = var.lambda_zip
  architecture    = var.lambda_architecture
}

module "deploy_function" {
  source = "../../../modules/deploy-function"

  repository_name = local.foundation.repository_name
  cluster_names   = keys(local.clusters)
  task_role_arns  = flatten([for app in local.others : app.role_arns])
  codedeploy      = true
  schedules       = { role_arns = [for batch in local.batches : batch.events_role_arn] }
  lambda_zip      = var.lambda_zip
  architecture    = var.lambda_architecture
}
