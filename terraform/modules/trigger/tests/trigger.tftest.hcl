mock_provider "aws" {
  source = "../../mocks"
}

variables {
  repository_name = "deployment"
  branch          = "master"
  lambda_zip      = "./versions.tf" # any file: nothing runs here
}

run "hears_of_the_branch_alone" {
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this.event_pattern) == {
      source      = ["aws.codecommit"]
      detail-type = ["CodeCommit Repository State Change"]
      resources   = ["arn:aws:codecommit:eu-west-1:111122223333:deployment"]
      detail      = { event = ["referenceCreated", "referenceUpdated"], referenceType = ["branch"], referenceName = ["master"] }
    }
    error_message = "the rule matches other events: ${aws_cloudwatch_event_rule.this.event_pattern}"
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == aws_lambda_function.this.arn && aws_lambda_permission.this.source_arn == aws_cloudwatch_event_rule.this.arn
    error_message = "the rule may not invoke the function"
  }

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.environment[0].variables.SLIPWAY_PIPELINE_NAME == "{repository}-{branch}-{cluster}-{app}"
    error_message = "the function is not ours"
  }
}

run "may_start_these_pipelines_alone" {
  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "Start"]) == ["arn:aws:codepipeline:eu-west-1:111122223333:deployment-master-*"]
    error_message = "other pipelines could be started"
  }
}

run "loses_nothing" {
  assert {
    condition     = aws_cloudwatch_event_target.this.dead_letter_config[0].arn == aws_sqs_queue.dead.arn && aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination == aws_sqs_queue.dead.arn
    error_message = "an event can be lost"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.dead.policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == aws_cloudwatch_event_rule.this.arn
    error_message = "another rule could fill the queue"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.dimensions.FunctionName == "slipway-trigger" && aws_cloudwatch_metric_alarm.dead.dimensions.QueueName == "slipway-trigger-dead"
    error_message = "nobody would notice"
  }
}

run "starts_pipelines_that_are_called_otherwise" {
  variables {
    pipeline_name = "deploy-{cluster}-{app}"
  }

  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "Start"]) == ["arn:aws:codepipeline:eu-west-1:111122223333:deploy-*"]
    error_message = "the pipelines could not be started"
  }
}

run "refuses_one_pipeline_for_all" {
  command = plan

  variables {
    pipeline_name = "{repository}-{branch}"
  }

  expect_failures = [var.pipeline_name]
}

run "refuses_a_zip_that_is_not_there" {
  command = plan

  variables {
    lambda_zip = "./missing.zip"
  }

  expect_failures = [var.lambda_zip]
}

run "refuses_to_try_for_ever" {
  command = plan

  variables {
    maximum_retry_attempts = 5
  }

  expect_failures = [var.maximum_retry_attempts]
}
