module "pipelines" {
  source = "../../../modules/pipelines"

  repository_name      = local.foundation.repository_name
  branch               = local.foundation.branch
  artifact_bucket      = local.foundation.build_bucket
  deploy_function_name = module.deploy_function.name
  task_role_arns       = concat(module.webapp1.role_arns, module.tcpapp1.role_arns, module.service1.role_arns)

  pipelines = {
    webapp1   = { cluster_name = "cluster1", app_name = module.webapp1.service_name }
    tcpapp1   = { cluster_name = "cluster1", app_name = module.tcpapp1.service_name }
    service1  = { cluster_name = "cluster1", app_name = module.service1.service_name }
    batchapp1 = { cluster_name = "cluster1", app_name = "batchapp1", action = "Lambda" }
  }
}

# What the article leaves out: a push starts the pipelines of what it changed.
module "trigger" {
  source = "../../../modules/trigger"

  repository_name = local.foundation.repository_name
  branch          = local.foundation.branch
  pipeline_arns   = values(module.pipelines.arns)
  lambda_zip      = var.lambda_zip
  architecture    = var.lambda_architecture
}

# CodePipeline's own action deploys services alone.
module "deploy_function" {
  source = "../../../modules/deploy-function"

  repository_name = local.foundation.repository_name
  cluster_names   = [local.cluster1.name]
  task_role_arns  = module.batchapp1.role_arns
  schedules       = { role_arns = [module.batchapp1.events_role_arn] }
  lambda_zip      = var.lambda_zip
  architecture    = var.lambda_architecture
}
