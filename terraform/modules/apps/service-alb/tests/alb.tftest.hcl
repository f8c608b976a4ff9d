mock_provider "aws" {
  source = "../../../mocks"
}

variables {
  env_name                     = "production"
  cluster_name                 = "cluster1"
  service_name                 = "webapp1"
  image                        = "webapp1:1"
  port                         = 8080
  vpc_id                       = "vpc-1"
  subnet_ids                   = ["subnet-1", "subnet-2"]
  alb_listener_arn             = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
  alb_security_group_id        = "sg-1"
  alb_listener_priority_offset = 10
}

run "is_behind_the_shared_load_balancer" {
  assert {
    condition     = aws_lb_listener_rule.this[0].priority == 10 && aws_lb_listener_rule.this[0].listener_arn == var.alb_listener_arn
    error_message = "the rule is elsewhere"
  }

  assert {
    condition     = one([for c in aws_lb_listener_rule.this[0].condition : one(c.path_pattern).values]) == toset(["/webapp1", "/webapp1/*"])
    error_message = "the application is not under its name"
  }

  assert {
    condition     = keys(aws_lb_target_group.this) == ["blue"] && length(aws_lb_target_group.this["blue"].name) <= 32 && aws_lb_target_group.this["blue"].target_type == "ip"
    error_message = "not a target group for Fargate"
  }

  assert {
    condition     = output.codedeploy == null
    error_message = "CodeDeploy was not asked for"
  }
}

run "answers_to_a_host" {
  command = plan

  variables {
    host_headers = ["shop.example.com"]
  }

  assert {
    condition     = length(aws_lb_listener_rule.this[0].condition) == 2
    error_message = "the host is not a condition"
  }
}

run "is_shifted_by_codedeploy" {
  variables {
    deployment_controller  = "CODE_DEPLOY"
    deployment_config_name = "CodeDeployDefault.ECSCanary10Percent5Minutes"
  }

  assert {
    condition     = length(aws_lb_target_group.this) == 2 && length(aws_lb_listener_rule.this) == 0
    error_message = "there is nothing to shift to"
  }

  assert {
    condition     = output.codedeploy.application_name == "cluster1-webapp1" && output.codedeploy.deployment_group_name == "webapp1"
    error_message = "CodeDeploy's names are not told"
  }

  assert {
    condition     = aws_codedeploy_deployment_group.this[0].deployment_config_name == "CodeDeployDefault.ECSCanary10Percent5Minutes"
    error_message = "the traffic is shifted otherwise"
  }
}

run "refuses_a_priority_that_elb_refuses" {
  command = plan

  variables {
    alb_listener_priority_offset = 0
  }

  expect_failures = [var.alb_listener_priority_offset]
}

run "refuses_a_health_check_without_a_path" {
  command = plan

  variables {
    health_check_path = "health"
  }

  expect_failures = [var.health_check_path]
}
