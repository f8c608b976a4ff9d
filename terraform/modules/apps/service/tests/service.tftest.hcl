mock_provider "aws" {
  source = "../../../mocks"
}

variables {
  env_name     = "production"
  cluster_name = "cluster1"
  service_name = "service1"
  image        = "service1:1"
  vpc_id       = "vpc-1"
  subnet_ids   = ["subnet-1", "subnet-2"]
}

run "runs_on_fargate" {
  assert {
    condition     = aws_ecs_service.this[0].name == "service1" && aws_ecs_service.this[0].cluster == "cluster1" && aws_ecs_service.this[0].launch_type == "FARGATE"
    error_message = "not the service that the pipelines look for"
  }

  assert {
    condition     = aws_ecs_service.this[0].deployment_circuit_breaker[0].rollback
    error_message = "a bad deployment stays"
  }

  assert {
    condition     = length(aws_ecs_service.this[0].load_balancer) == 0 && length(aws_security_group.this.ingress) == 0
    error_message = "a service without a load balancer can be reached"
  }

  assert {
    condition     = strcontains(output.rollout_command, "--task-definition ${output.task_definition_arn}")
    error_message = output.rollout_command
  }
}

run "leaves_the_count_to_others" {
  variables {
    desired_count = 5
  }

  assert {
    condition     = aws_ecs_service.this[0].desired_count == 2
    error_message = "Terraform scaled the service"
  }
}

run "gives_the_service_to_codedeploy" {
  variables {
    deployment_controller = "CODE_DEPLOY"
    load_balancers        = [{ target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/a/1", container_port = 8080 }]
    container_ports       = [8080]
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && aws_ecs_service.codedeploy[0].deployment_controller[0].type == "CODE_DEPLOY"
    error_message = "CodeDeploy does not have the service"
  }

  assert {
    condition     = output.service_name == "service1"
    error_message = output.service_name
  }
}

run "refuses_codedeploy_without_a_load_balancer" {
  command = plan

  variables {
    deployment_controller = "CODE_DEPLOY"
  }

  expect_failures = [var.deployment_controller]
}

run "refuses_to_be_in_no_subnet" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_bounds_that_forbid_to_deploy" {
  command = plan

  variables {
    maximum_percent = 50
  }

  expect_failures = [var.maximum_percent]
}
