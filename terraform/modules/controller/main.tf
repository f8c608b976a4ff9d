data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  port = 7878
  rds  = var.database == "rds"
  efs  = var.database == "efs"

  folder     = "/var/lib/slipway"
  secret_arn = one(flatten(aws_db_instance.this[*].master_user_secret[*].secret_arn))
  trust      = var.rds.ca_file == null ? "sslmode=require" : "sslmode=verify-full&sslrootcert=${urlencode(var.rds.ca_file)}"
  database = {
    SLIPWAY_DATABASE          = local.rds ? "postgres://slipway@${one(aws_db_instance.this[*].endpoint)}/slipway?${local.trust}" : "sqlite:${local.folder}/slipway.db"
    SLIPWAY_DATABASE_PASSWORD = local.rds ? "secretsmanager:${local.secret_arn}" : null
  }
  environment = merge({ for name, value in local.database : name => value if value != null }, var.environment)
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/slipway/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "Database of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = var.tags

  ingress {
    description     = "task"
    protocol        = "tcp"
    from_port       = local.rds ? 5432 : 2049
    to_port         = local.rds ? 5432 : 2049
    security_groups = [aws_security_group.task.id]
  }
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
      "serve", "--repository", var.repository, "--branch", var.branch, "--listen", "0.0.0.0:${local.port}",
    ]
    portMappings = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    environment  = [for name, value in local.environment : { name = name, value = value }]
    secrets      = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
    mountPoints  = [for volume in aws_efs_access_point.this : { sourceVolume = "database", containerPath = local.folder, readOnly = false }]
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

  dynamic "volume" {
    for_each = aws_efs_access_point.this

    content {
      name = "database"

      efs_volume_configuration {
        file_system_id     = aws_efs_file_system.this[0].id
        transit_encryption = "ENABLED"

        authorization_config {
          access_point_id = volume.value.id
          iam             = "ENABLED"
        }
      }
    }
  }

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

  # On a file there is one, and the old one is stopped before the new one starts. On
  # PostgreSQL one conducts, and the other stands by.
  desired_count                      = local.rds ? 2 : 1
  deployment_minimum_healthy_percent = local.rds ? 100 : 0
  deployment_maximum_percent         = local.rds ? 200 : 100
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

  # A task needs them, though nothing in it says so.
  depends_on = [
    aws_iam_role_policy.deploy, aws_iam_role_policy.rds, aws_iam_role_policy.efs,
    aws_efs_mount_target.this, aws_efs_file_system_policy.this,
  ]
}
