mock_provider "aws" {
  source = "../../mocks"
}

variables {
  image               = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/slipway:1.0.0"
  repository          = "https://git.example.com/deployment.git"
  cluster_name        = "tools"
  deploys_to          = ["cluster1"]
  task_role_arns      = ["arn:aws:iam::111122223333:role/cluster1-webapp1-task"]
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-1"]
  alb_subnet_ids      = ["subnet-2", "subnet-3"]
  allowed_cidr_blocks = ["10.0.0.0/8"]
  certificate_arn     = "arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000001"
  oidc_client_secret  = "secret"

  oidc = {
    issuer                 = "https://login.example.com"
    authorization_endpoint = "https://login.example.com/authorize"
    token_endpoint         = "https://login.example.com/token"
    user_info_endpoint     = "https://login.example.com/userinfo"
    client_id              = "slipway"
  }
}

run "conducts_alone" {
  assert {
    condition     = aws_ecs_service.this.desired_count == 1 && aws_ecs_service.this.deployment_maximum_percent == 100 && aws_ecs_service.this.deployment_minimum_healthy_percent == 0
    error_message = "two controllers could run at once, with a database each"
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].command, "https://git.example.com/deployment.git")
    error_message = "it watches another repository"
  }
}

run "lets_nobody_in_who_is_not_known" {
  assert {
    condition     = aws_lb_listener.this.default_action[0].type == "authenticate-oidc" && aws_lb_listener.this.default_action[0].authenticate_oidc[0].on_unauthenticated_request == "authenticate" && aws_lb_listener.this.protocol == "HTTPS"
    error_message = "the API can be reached without a login"
  }

  assert {
    condition     = alltrue([for rule in aws_security_group.task.ingress : length(rule.security_groups) == 1 && try(length(rule.cidr_blocks), 0) == 0])
    error_message = "the task can be reached past the load balancer"
  }

  assert {
    condition     = aws_lb.this.internal
    error_message = "the load balancer is on the internet"
  }
}

run "may_deploy_where_it_was_told_to" {
  assert {
    condition     = strcontains(aws_iam_role_policy.deploy.policy, "service/cluster1/*") && !strcontains(aws_iam_role_policy.deploy.policy, "service/*")
    error_message = "it may deploy elsewhere"
  }
}

run "refuses_to_log_in_without_tls" {
  command = plan

  variables {
    oidc = {
      issuer                 = "http://login.example.com"
      authorization_endpoint = "http://login.example.com/authorize"
      token_endpoint         = "http://login.example.com/token"
      user_info_endpoint     = "http://login.example.com/userinfo"
      client_id              = "slipway"
    }
  }

  expect_failures = [var.oidc]
}

run "refuses_to_be_without_a_certificate" {
  command = plan

  variables {
    certificate_arn = ""
  }

  expect_failures = [var.certificate_arn]
}
