data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  where      = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  repository = "arn:${local.partition}:codecommit:${local.where}:${var.repository_name}"
  prefix     = split("{cluster}", split("{app}", replace(replace(var.pipeline_name, "{repository}", var.repository_name), "{branch}", var.branch))[0])[0]
}

# What CodeCommit tells of the branch: that it was made, or moved.
resource "aws_cloudwatch_event_rule" "this" {
  name        = var.name
  description = "Pushes to ${var.repository_name}, branch ${var.branch}"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.codecommit"]
    detail-type = ["CodeCommit Repository State Change"]
    resources   = [local.repository]
    detail = {
      event         = ["referenceCreated", "referenceUpdated"]
      referenceType = ["branch"]
      referenceName = [var.branch]
    }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule      = aws_cloudwatch_event_rule.this.name
  target_id = "trigger"
  arn       = aws_lambda_function.this.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = var.maximum_event_age_seconds
    maximum_retry_attempts       = 185
  }

  depends_on = [aws_lambda_permission.this, aws_sqs_queue_policy.dead]
}

resource "aws_lambda_permission" "this" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this.arn
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = "Starts the pipelines of the applications that a push to ${var.repository_name} changed"
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
    variables = merge({
      SLIPWAY_REPOSITORY    = var.repository_name
      SLIPWAY_BRANCH        = var.branch
      SLIPWAY_PIPELINE_NAME = var.pipeline_name
    }, var.environment)
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

# EventBridge invokes without waiting, so trying again is Lambda's.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = var.maximum_retry_attempts
  maximum_event_age_in_seconds = var.maximum_event_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead.arn
    }
  }
}
