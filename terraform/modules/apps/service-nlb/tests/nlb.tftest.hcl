mock_provider "aws" {
  source = "../../../mocks"
}

variables {
  env_name     = "production"
  cluster_name = "cluster1"
  service_name = "tcpapp1"
  image        = "tcpapp1:1"
  port         = 9000
  vpc_id       = "vpc-1"
  subnet_ids   = ["subnet-1", "subnet-2"]
  nlb_arn      = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/shared/50dc6c495c0c9188"
}

run "is_behind_the_shared_load_balancer" {
  assert {
    condition     = aws_lb_listener.this.port == 9000 && aws_lb_listener.this.protocol == "TCP" && aws_lb_listener.this.load_balancer_arn == var.nlb_arn
    error_message = "the listener is elsewhere"
  }

  assert {
    condition     = aws_lb_target_group.this.target_type == "ip" && length(aws_lb_target_group.this.name) <= 32 && aws_lb_target_group.this.health_check[0].protocol == "TCP"
    error_message = "not a target group of layer 4 for Fargate"
  }
}

run "listens_on_another_port" {
  command = plan

  variables {
    listener_port = 443
  }

  assert {
    condition     = aws_lb_listener.this.port == 443 && aws_lb_target_group.this.port == 9000
    error_message = "the ports are confused"
  }
}

run "refuses_an_address_for_a_range" {
  command = plan

  variables {
    allowed_cidr_blocks = ["10.0.0.1"]
  }

  expect_failures = [var.allowed_cidr_blocks]
}

run "refuses_ports_that_there_are_not" {
  command = plan

  variables {
    port = 0
  }

  expect_failures = [var.port]
}
