mock_provider "aws" {
  source = "../../../mocks"
}

variables {
  env_name            = "production"
  cluster_name        = "cluster1"
  cluster_arn         = "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster1"
  service_name        = "batchapp1"
  image               = "batchapp1:1"
  schedule_expression = "rate(5 minutes)"
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-1"]
}

run "runs_on_schedule" {
  assert {
    condition     = output.rule_name == "cluster1-batchapp1" && aws_cloudwatch_event_rule.this.schedule_expression == "rate(5 minutes)"
    error_message = "not the rule of the application"
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == var.cluster_arn && aws_cloudwatch_event_target.this.ecs_target[0].launch_type == "FARGATE"
    error_message = "the rule does not run tasks on Fargate"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.events.policy).Statement[0].Resource == "arn:aws:ecs:eu-west-1:111122223333:task-definition/cluster1-batchapp1:*"
    error_message = "the rule could not run a newer revision, or could run more: ${aws_iam_role_policy.events.policy}"
  }
}

run "refuses_a_schedule_that_eventbridge_refuses" {
  command = plan

  variables {
    schedule_expression = "every five minutes"
  }

  expect_failures = [var.schedule_expression]
}

run "refuses_a_name_for_the_clusters_arn" {
  command = plan

  variables {
    cluster_arn = "cluster1"
  }

  expect_failures = [var.cluster_arn]
}
