module "template" {
  source = "../template"

  env_name                       = var.env_name
  cluster_name                   = var.cluster_name
  service_name                   = var.service_name
  cpu                            = var.cpu
  memory                         = var.memory
  image                          = var.image
  image_source                   = var.image_source
  app_policies                   = var.app_policies
  execution_policies             = var.execution_policies
  environment                    = var.environment
  secrets                        = var.secrets
  command                        = var.command
  container_ports                = var.container_ports
  container_definitions_template = var.container_definitions_template
  cpu_architecture               = var.cpu_architecture
  log_retention_days             = var.log_retention_days
  keep_task_definitions          = var.keep_task_definitions
  tags                           = var.tags
}

locals {
  tags    = merge({ Environment = var.env_name }, var.tags)
  service = one(concat(aws_ecs_service.this, aws_ecs_service.codedeploy))
}

resource "aws_security_group" "this" {
  name        = "${var.cluster_name}-${var.service_name}"
  description = "Tasks of ${var.cluster_name}/${var.service_name}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  dynamic "ingress" {
    for_each = var.ingress

    content {
      description     = ingress.key
      protocol        = "tcp"
      from_port       = ingress.value.port
      to_port         = ingress.value.port
      security_groups = ingress.value.security_group_ids
      cidr_blocks     = ingress.value.cidr_blocks
    }
  }

  egress {
    description = "anywhere"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# Terraform creates the service on its own task definition. From then on what
# runs is the pipeline's, or that of whoever rolled back or used the console.
resource "aws_ecs_service" "this" {
  count = var.deployment_controller == "ECS" ? 1 : 0

  name                               = var.service_name
  cluster                            = var.cluster_name
  task_definition                    = module.template.task_definition_arn
  desired_count                      = var.desired_count
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = var.minimum_healthy_percent
  deployment_maximum_percent         = var.maximum_percent
  health_check_grace_period_seconds  = length(var.load_balancers) > 0 ? var.health_check_grace_period_seconds : null
  enable_ecs_managed_tags            = true
  enable_execute_command             = var.enable_execute_command
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = var.wait_for_steady_state
  tags                               = local.tags

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = concat([aws_security_group.this.id], var.security_group_ids)
    assign_public_ip = var.assign_public_ip
  }

  deployment_circuit_breaker {
    enable   = var.rollback
    rollback = var.rollback
  }

  dynamic "load_balancer" {
    for_each = var.load_balancers

    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = var.service_name
      container_port   = load_balancer.value.container_port
    }
  }

  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }
}

# What CodeDeploy changes beside: which target group serves, and the platform
# version. A lifecycle block cannot depend on a variable, hence the second one.
resource "aws_ecs_service" "codedeploy" {
  count = var.deployment_controller == "CODE_DEPLOY" ? 1 : 0

  name                               = var.service_name
  cluster                            = var.cluster_name
  task_definition                    = module.template.task_definition_arn
  desired_count                      = var.desired_count
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = var.minimum_healthy_percent
  deployment_maximum_percent         = var.maximum_percent
  health_check_grace_period_seconds  = var.health_check_grace_period_seconds
  enable_ecs_managed_tags            = true
  enable_execute_command             = var.enable_execute_command
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = var.wait_for_steady_state
  tags                               = local.tags

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = concat([aws_security_group.this.id], var.security_group_ids)
    assign_public_ip = var.assign_public_ip
  }

  dynamic "load_balancer" {
    for_each = var.load_balancers

    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = var.service_name
      container_port   = load_balancer.value.container_port
    }
  }

  lifecycle {
    ignore_changes = [task_definition, desired_count, load_balancer, network_configuration, platform_version]
  }
}
