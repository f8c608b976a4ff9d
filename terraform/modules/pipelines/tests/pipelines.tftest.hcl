mock_provider "aws" {
  source = "../../mocks"
}

variables {
  repository_name      = "deployment"
  branch               = "master"
  artifact_bucket      = "slipway-artifacts"
  deploy_function_name = "slipway-deploy"
  task_role_arns       = ["arn:aws:iam::111122223333:role/cluster1-webapp1-task"]
  pipelines = {
    webapp1   = { cluster_name = "cluster1", app_name = "webapp1" }
    batchapp1 = { cluster_name = "cluster1", app_name = "batchapp1", action = "Lambda", execution_mode = "QUEUED" }
  }
}

run "is_the_articles_pipeline" {
  assert {
    condition     = output.names == { webapp1 = "deployment-master-cluster1-webapp1", batchapp1 = "deployment-master-cluster1-batchapp1" }
    error_message = "pipelines are called otherwise"
  }

  assert {
    condition     = [for stage in aws_codepipeline.this["webapp1"].stage : stage.name] == ["Source", "Deploy"]
    error_message = "stages differ"
  }

  assert {
    condition = one(aws_codepipeline.this["webapp1"].stage[0].action).configuration == tomap({
      RepositoryName = "deployment", BranchName = "master", PollForSourceChanges = "false"
    })
    error_message = "the source is configured otherwise"
  }

  assert {
    condition = one(aws_codepipeline.this["webapp1"].stage[1].action).configuration == tomap({
      ClusterName = "cluster1", ServiceName = "webapp1", FileName = "cluster1/webapp1/revision.json"
    })
    error_message = "the deployment is configured otherwise"
  }

  assert {
    condition     = one(aws_codepipeline.this["webapp1"].stage[1].action).provider == "ECS" && one(aws_codepipeline.this["webapp1"].stage[0].action).output_artifacts == one(aws_codepipeline.this["webapp1"].stage[1].action).input_artifacts
    error_message = "the source is not what is deployed"
  }

  assert {
    condition     = aws_codepipeline.this["webapp1"].pipeline_type == "V2" && aws_codepipeline.this["batchapp1"].execution_mode == "QUEUED"
    error_message = "a pinned revision wants V2"
  }
}

run "invokes_the_function" {
  assert {
    condition     = one(aws_codepipeline.this["batchapp1"].stage[1].action).category == "Invoke" && one(aws_codepipeline.this["batchapp1"].stage[1].action).configuration.FunctionName == "slipway-deploy"
    error_message = "the function is not invoked"
  }

  assert {
    condition = jsondecode(one(aws_codepipeline.this["batchapp1"].stage[1].action).configuration.UserParameters) == {
      repository = "deployment", cluster = "cluster1", app = "batchapp1", commit = "#{SourceVariables.CommitId}",
      pipeline   = "deployment-master-cluster1-batchapp1", execution = "#{codepipeline.PipelineExecutionId}"
    }
    error_message = "the function is not told what to deploy"
  }
}

run "may_do_what_it_does_and_no_more" {
  assert {
    condition = one([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "DeployServices"]) == [
      "arn:aws:ecs:eu-west-1:111122223333:service/cluster1/webapp1"
    ]
    error_message = "the role may deploy other services, or not its own"
  }

  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "PassTaskRoles"]) == ["arn:aws:iam::111122223333:role/cluster1-webapp1-task"]
    error_message = "the role may pass other roles"
  }

  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "InvokeDeployFunction"]) == "arn:aws:lambda:eu-west-1:111122223333:function:slipway-deploy"
    error_message = "the role may not invoke the function"
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : !contains(flatten([s.Action]), "*") && alltrue([for a in flatten([s.Action]) : !endswith(a, ":*")])])
    error_message = "the role may do anything with a service"
  }
}

run "waits_for_approval" {
  variables {
    pipelines = {
      webapp1 = { cluster_name = "cluster1", app_name = "webapp1", deployment_timeout = 20, approval = { notification_arn = "arn:aws:sns:eu-west-1:111122223333:approvals", comment = "to production" } }
    }
  }

  assert {
    condition     = [for stage in aws_codepipeline.this["webapp1"].stage : stage.name] == ["Source", "Approval", "Deploy"]
    error_message = "nobody is asked"
  }

  assert {
    condition     = one(aws_codepipeline.this["webapp1"].stage[1].action).configuration == tomap({ NotificationArn = "arn:aws:sns:eu-west-1:111122223333:approvals", CustomData = "to production" })
    error_message = "the approval is configured otherwise"
  }

  assert {
    condition     = one(aws_codepipeline.this["webapp1"].stage[2].action).configuration.DeploymentTimeout == "20"
    error_message = "the timeout is lost"
  }
}

run "deploys_by_codedeploy" {
  variables {
    pipelines = {
      webapp1 = { cluster_name = "cluster1", app_name = "webapp1", action = "CodeDeployToECS", codedeploy = { application_name = "cluster1-webapp1", deployment_group_name = "webapp1" } }
    }
  }

  assert {
    condition     = one(aws_codepipeline.this["webapp1"].stage[1].action).configuration.AppSpecTemplatePath == "cluster1/webapp1/appspec.yaml"
    error_message = "the AppSpec is elsewhere"
  }

  assert {
    condition     = length([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s if s.Sid == "DeployServices"]) == 0
    error_message = "the role may update services that CodeDeploy deploys"
  }
}

run "refuses_two_of_one_name" {
  command = plan

  variables {
    pipelines = {
      a = { cluster_name = "cluster1-web", app_name = "app1" }
      b = { cluster_name = "cluster1", app_name = "web-app1" }
    }
  }

  expect_failures = [var.pipelines]
}

run "refuses_parallel_deployments" {
  command = plan

  variables {
    pipelines = { webapp1 = { cluster_name = "cluster1", app_name = "webapp1", execution_mode = "PARALLEL" } }
  }

  expect_failures = [var.pipelines]
}

run "refuses_a_function_without_a_name" {
  command = plan

  variables {
    deploy_function_name = null
  }

  expect_failures = [var.deploy_function_name]
}

run "refuses_to_pass_no_role" {
  command = plan

  variables {
    task_role_arns = []
  }

  expect_failures = [var.task_role_arns]
}

run "refuses_codedeploy_without_its_names" {
  command = plan

  variables {
    pipelines = { webapp1 = { cluster_name = "cluster1", app_name = "webapp1", action = "CodeDeployToECS" } }
  }

  expect_failures = [var.pipelines]
}
