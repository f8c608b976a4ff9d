data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  where     = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  by        = { for action in ["ECS", "CodeDeployToECS", "Lambda"] : action => [for p in values(var.pipelines) : p if p.action == action] }
  registers = length(local.by["ECS"]) + length(local.by["CodeDeployToECS"]) > 0
  notified  = distinct([for p in values(var.pipelines) : p.approval.notification_arn if try(p.approval.notification_arn, null) != null])

  # Each with what it is needed for; see
  # https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
  statements = [
    {
      needed = true
      is = {
        Sid    = "Source"
        Effect = "Allow"
        Action = [
          "codecommit:GetBranch", "codecommit:GetCommit", "codecommit:GetRepository",
          "codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus", "codecommit:CancelUploadArchive",
        ]
        Resource = "arn:${local.partition}:codecommit:${local.where}:${var.repository_name}"
      }
    },
    {
      needed = true
      is = {
        Sid      = "Artifacts"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
        Resource = "arn:${local.partition}:s3:::${var.artifact_bucket}/*"
      }
    },
    {
      needed = true
      is = {
        Sid      = "ArtifactBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketVersioning", "s3:GetBucketLocation"]
        Resource = "arn:${local.partition}:s3:::${var.artifact_bucket}"
      }
    },
    {
      needed = var.artifact_kms_key_arn != null
      is = {
        Sid      = "ArtifactKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource = var.artifact_kms_key_arn
      }
    },
    {
      needed = length(local.by["ECS"]) > 0
      is = {
        Sid      = "DeployServices"
        Effect   = "Allow"
        Action   = ["ecs:DescribeServices", "ecs:UpdateService"]
        Resource = [for p in local.by["ECS"] : "arn:${local.partition}:ecs:${local.where}:service/${p.cluster_name}/${coalesce(p.service_name, p.app_name)}"]
      }
    },
    {
      needed = length(local.by["ECS"]) > 0
      is = {
        Sid      = "LookAtTasks"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTasks", "ecs:ListTasks"]
        Resource = "*"
        Condition = { ArnEquals = {
          "ecs:cluster" = distinct([for p in local.by["ECS"] : "arn:${local.partition}:ecs:${local.where}:cluster/${p.cluster_name}"])
        } }
      }
    },
    {
      needed = length(local.by["CodeDeployToECS"]) > 0
      is = {
        Sid    = "DeployByCodeDeploy"
        Effect = "Allow"
        Action = ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"]
        Resource = [
          for p in local.by["CodeDeployToECS"] :
          "arn:${local.partition}:codedeploy:${local.where}:deploymentgroup:${p.codedeploy.application_name}/${p.codedeploy.deployment_group_name}"
        ]
      }
    },
    {
      needed = length(local.by["CodeDeployToECS"]) > 0
      is = {
        Sid      = "CodeDeployRevisions"
        Effect   = "Allow"
        Action   = ["codedeploy:GetApplication", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"]
        Resource = [for p in local.by["CodeDeployToECS"] : "arn:${local.partition}:codedeploy:${local.where}:application:${p.codedeploy.application_name}"]
      }
    },
    {
      needed = length(local.by["CodeDeployToECS"]) > 0
      is = {
        Sid      = "CodeDeployConfigurations"
        Effect   = "Allow"
        Action   = "codedeploy:GetDeploymentConfig"
        Resource = "arn:${local.partition}:codedeploy:${local.where}:deploymentconfig:*"
      }
    },
    {
      # The first can be limited to no resource. The family that the second registers is copied
      # from what runs, and need not be called like the application.
      needed = local.registers
      is = {
        Sid      = "TaskDefinitions"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
        Resource = "*"
      }
    },
    {
      needed = local.registers
      is = {
        Sid       = "TagTaskDefinitions"
        Effect    = "Allow"
        Action    = "ecs:TagResource"
        Resource  = "arn:${local.partition}:ecs:${local.where}:task-definition/*"
        Condition = { StringEquals = { "ecs:CreateAction" = "RegisterTaskDefinition" } }
      }
    },
    {
      needed = local.registers
      is = {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.task_role_arns
        Condition = { StringEquals = { "iam:PassedToService" = ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"] } }
      }
    },
    {
      needed = length(local.by["Lambda"]) > 0
      is = {
        Sid      = "InvokeDeployFunction"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = "arn:${local.partition}:lambda:${local.where}:function:${coalesce(var.deploy_function_name, "none")}"
      }
    },
    {
      needed = length(local.notified) > 0
      is = {
        Sid      = "AskForApproval"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = local.notified
      }
    },
  ]
}

resource "aws_iam_role" "this" {
  name        = coalesce(var.role_name, "${var.repository_name}-${var.branch}-pipelines")
  description = "The pipelines of ${var.repository_name}, branch ${var.branch}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "codepipeline.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:codepipeline:${local.where}:${var.repository_name}-${var.branch}-*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "deploy"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.statements : statement.is if statement.needed]
  })
}
