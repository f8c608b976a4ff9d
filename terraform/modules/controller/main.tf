data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  port = 7878
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/slipway/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = var.tags

  container_definitions = jsonencode([{
    name      = "slipway"
    image     = var.image
    essential = true
    command = [
      "serve", "--repository", var.repository, "--branch", var.branch,
      # On the task's own disk: SQLite's locks are not safe on a network's.
      "--database", "sqlite:/tmp/slipway/slipway.db",
      "--listen", "0.0.0.0:${local.port}",
    ]
    portMappings = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    environment  = [for name, value in var.environment : { name = name, value = value }]
    secrets      = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
    stopTimeout  = 60
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = "slipway"
      }
    }
  }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

# This one Terraform deploys: the controller does not deploy itself.
resource "aws_ecs_service" "this" {
  name                   = var.name
  cluster                = var.cluster_name
  task_definition        = aws_ecs_task_definition.this.arn
  launch_type            = "FARGATE"
  propagate_tags         = "SERVICE"
  enable_execute_command = true
  tags                   = var.tags

  # One, and the old one is stopped before the new one starts: two tasks would
  # have a database each, and both deploy.
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 60

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = var.assign_public_ip
  }

  load_balancer {
    # As the listener has it: a service wants its target group to have one.
    target_group_arn = aws_lb_listener.this.default_action[1].target_group_arn
    container_name   = "slipway"
    container_port   = local.port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
}
