data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  where     = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
}

module "policy" {
  source = "../deployer-policy"

  cluster_names  = var.cluster_names
  task_role_arns = var.task_role_arns
  schedules      = var.schedules
  codedeploy     = var.codedeploy
  deregister     = var.deregister
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# Invoked by CodePipeline, which asks again with a continuation token until the
# function says how it ended: no invocation lasts as long as a deployment.
resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = "Deploys applications for CodePipeline"
  role             = aws_iam_role.this.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  filename         = var.lambda_zip
  source_code_hash = filebase64sha256(var.lambda_zip)
  memory_size      = 256
  timeout          = 300
  tags             = var.tags

  environment {
    variables = merge({ SLIPWAY_REPOSITORY = var.repository_name }, var.environment)
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.deploy, aws_iam_role_policy.job]
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "The function ${var.name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "deploy" {
  name   = "deploy"
  role   = aws_iam_role.this.name
  policy = module.policy.json
}

resource "aws_iam_role_policy" "job" {
  name = "job"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["codecommit:GetFile"]
        Resource = "arn:${local.partition}:codecommit:${local.where}:${var.repository_name}"
      },
      {
        # These can be limited to no resource.
        Sid      = "Answer"
        Effect   = "Allow"
        Action   = ["codepipeline:GetJobDetails", "codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"]
        Resource = "*"
      },
      {
        # Whether the execution is to stop.
        Sid      = "Heed"
        Effect   = "Allow"
        Action   = ["codepipeline:GetPipelineExecution"]
        Resource = "arn:${local.partition}:codepipeline:${local.where}:*"
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:${local.partition}:logs:${local.where}:log-group:/aws/lambda/${var.name}:*"
      },
    ]
  })
}
