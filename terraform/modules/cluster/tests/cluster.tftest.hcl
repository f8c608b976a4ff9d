mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name   = "cluster1"
  vpc_id = "vpc-1"
}

run "is_a_cluster_alone" {
  assert {
    condition     = output.name == "cluster1" && output.alb_listener_arn == null && output.nlb_arn == null
    error_message = "there are load balancers that were not asked for"
  }
}

run "listens_with_tls" {
  variables {
    alb = { subnet_ids = ["subnet-1", "subnet-2"], certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000001" }
    nlb = { subnet_ids = ["subnet-1", "subnet-2"] }
  }

  assert {
    condition     = aws_lb_listener.alb[0].port == 443 && aws_lb_listener.alb[0].protocol == "HTTPS" && aws_lb_listener.redirect[0].default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "a client can do without TLS"
  }

  assert {
    condition     = aws_lb.alb[0].load_balancer_type == "application" && aws_lb.nlb[0].load_balancer_type == "network"
    error_message = "not the load balancers that were asked for"
  }
}

run "listens_without_a_certificate" {
  variables {
    alb = { subnet_ids = ["subnet-1", "subnet-2"] }
  }

  assert {
    condition     = aws_lb_listener.alb[0].port == 80 && length(aws_lb_listener.redirect) == 0
    error_message = "there is nothing on port 80"
  }
}

run "refuses_one_subnet" {
  command = plan

  variables {
    alb = { subnet_ids = ["subnet-1"] }
  }

  expect_failures = [var.alb]
}

run "refuses_a_load_balancer_nowhere" {
  command = plan

  variables {
    vpc_id = null
    alb    = { subnet_ids = ["subnet-1", "subnet-2"] }
  }

  expect_failures = [var.alb]
}
