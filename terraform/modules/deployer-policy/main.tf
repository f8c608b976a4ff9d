data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  where     = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  ecs       = "arn:${local.partition}:ecs:${local.where}"
  clusters  = [for name in var.cluster_names : "${local.ecs}:cluster/${name}"]
  scheduled = var.schedules != null

  # Each with what it is needed for; docs/controller.md and docs/batch-apps.md say why.
  statements = [
    {
      needed = true
      is = {
        Sid      = "Clusters"
        Effect   = "Allow"
        Action   = "ecs:DescribeClusters"
        Resource = local.clusters
      }
    },
    {
      needed = true
      is = {
        Sid       = "Services"
        Effect    = "Allow"
        Action    = ["ecs:DescribeServices", "ecs:UpdateService", "ecs:ListServiceDeployments"]
        Resource  = [for name in var.cluster_names : "${local.ecs}:service/${name}/*"]
        Condition = { ArnEquals = { "ecs:cluster" = local.clusters } }
      }
    },
    {
      # Each of these is about a deployment or a revision, and about its service.
      needed = true
      is = {
        Sid    = "ServiceDeployments"
        Effect = "Allow"
        Action = ["ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions", "ecs:StopServiceDeployment", "ecs:ContinueServiceDeployment"]
        Resource = flatten([for name in var.cluster_names : [
          "${local.ecs}:service/${name}/*", "${local.ecs}:service-deployment/${name}/*", "${local.ecs}:service-revision/${name}/*",
        ]])
      }
    },
    {
      needed = true
      is = {
        Sid       = "Look"
        Effect    = "Allow"
        Action    = ["ecs:ListServices", "ecs:ListTasks", "ecs:DescribeTasks"]
        Resource  = "*"
        Condition = { ArnEquals = { "ecs:cluster" = local.clusters } }
      }
    },
    {
      # Two of these can be limited to no resource. The family that is registered is copied from
      # what runs, and need not be called like the application.
      needed = true
      is = {
        Sid      = "TaskDefinitions"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions", "ecs:RegisterTaskDefinition"]
        Resource = "*"
      }
    },
    {
      # It can be limited to no resource.
      needed = var.deregister
      is = {
        Sid      = "Retire"
        Effect   = "Allow"
        Action   = "ecs:DeregisterTaskDefinition"
        Resource = "*"
      }
    },
    {
      needed = true
      is = {
        Sid       = "TagTaskDefinitions"
        Effect    = "Allow"
        Action    = "ecs:TagResource"
        Resource  = "${local.ecs}:task-definition/*"
        Condition = { StringEquals = { "ecs:CreateAction" = "RegisterTaskDefinition" } }
      }
    },
    {
      needed = true
      is = {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.task_role_arns
        Condition = { StringEquals = { "iam:PassedToService" = ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"] } }
      }
    },
    {
      needed = true
      is = {
        Sid      = "Explain"
        Effect   = "Allow"
        Action   = "logs:GetLogEvents"
        Resource = [for name in var.cluster_names : "arn:${local.partition}:logs:${local.where}:log-group:/ecs/${name}/*"]
      }
    },
    {
      # What a rule or a schedule runs is not deregistered.
      needed = local.scheduled || var.deregister
      is = {
        Sid      = "FindSchedules"
        Effect   = "Allow"
        Action   = ["events:ListRuleNamesByTarget", "events:ListTargetsByRule", "scheduler:ListSchedules", "scheduler:GetSchedule"]
        Resource = "*"
      }
    },
    {
      needed = local.scheduled
      is = {
        Sid      = "MoveSchedules"
        Effect   = "Allow"
        Action   = ["events:PutTargets", "scheduler:UpdateSchedule"]
        Resource = ["arn:${local.partition}:events:${local.where}:rule/*", "arn:${local.partition}:scheduler:${local.where}:schedule/*"]
      }
    },
    {
      needed = try(length(var.schedules.role_arns), 0) > 0
      is = {
        Sid       = "PassScheduleRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = try(var.schedules.role_arns, [])
        Condition = { StringEquals = { "iam:PassedToService" = ["events.amazonaws.com", "scheduler.amazonaws.com"] } }
      }
    },
    {
      needed = local.scheduled
      is = {
        Sid       = "TestRuns"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${local.ecs}:task-definition/*"
        Condition = { ArnEquals = { "ecs:cluster" = local.clusters } }
      }
    },
    {
      # A target may say that its tasks get the tags of the task definition.
      needed = local.scheduled
      is = {
        Sid       = "TagTestRuns"
        Effect    = "Allow"
        Action    = "ecs:TagResource"
        Resource  = [for name in var.cluster_names : "${local.ecs}:task/${name}/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      }
    },
    {
      needed = var.codedeploy
      is = {
        Sid    = "CodeDeploy"
        Effect = "Allow"
        Action = [
          "codedeploy:CreateDeployment", "codedeploy:StopDeployment", "codedeploy:ContinueDeployment", "codedeploy:GetDeployment", "codedeploy:BatchGetDeployments",
          "codedeploy:ListDeployments", "codedeploy:GetDeploymentTarget", "codedeploy:GetDeploymentGroup", "codedeploy:ListDeploymentGroups",
          "codedeploy:BatchGetDeploymentGroups", "codedeploy:ListApplications", "codedeploy:BatchGetApplications",
          "codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision", "codedeploy:GetApplicationRevision",
        ]
        Resource = "*"
      }
    },
  ]
}
