locals {
  tags = merge({ Environment = var.env_name }, var.tags)
  # A target group's name has 32 characters at most and is unique in the account.
  name       = "${var.cluster_name}-${var.service_name}"
  short      = "${substr(replace(local.name, "_", "-"), 0, 21)}-${substr(sha256(local.name), 0, 8)}"
  codedeploy = var.deployment_controller == "CODE_DEPLOY"
  paths      = coalesce(var.path_patterns, length(var.host_headers) == 0 ? ["/${var.service_name}", "/${var.service_name}/*"] : ["/*"])
  # Once CodeDeploy has shifted, its rule forwards to both groups by weights, and no longer names one.
  served = coalesce(one(concat(aws_lb_listener_rule.this, aws_lb_listener_rule.codedeploy)).action[0].target_group_arn, aws_lb_target_group.this["blue"].arn)
}

module "service" {
  source = "../service"

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
  container_definitions_template = var.container_definitions_template
  cpu_architecture               = var.cpu_architecture
  log_retention_days             = var.log_retention_days
  keep_task_definitions          = var.keep_task_definitions
  vpc_id                         = var.vpc_id
  subnet_ids                     = var.subnet_ids
  security_group_ids             = var.security_group_ids
  assign_public_ip               = var.assign_public_ip
  desired_count                  = var.desired_count
  minimum_healthy_percent        = var.minimum_healthy_percent
  maximum_percent                = var.maximum_percent
  rollback                       = var.rollback
  enable_execute_command         = var.enable_execute_command
  wait_for_steady_state          = var.wait_for_steady_state
  tags                           = var.tags

  container_ports                   = [var.port]
  ingress                           = { alb = { port = var.port, security_group_ids = [var.alb_security_group_id] } }
  health_check_grace_period_seconds = var.health_check_grace_period_seconds
  deployment_controller             = var.deployment_controller

  # As the rule has it: a service can be created only once its target group has a listener.
  load_balancers = [{ target_group_arn = local.served, container_port = var.port }]
}

resource "aws_lb_target_group" "this" {
  # CodeDeploy shifts from one to the other and back.
  for_each = local.codedeploy ? { blue = "b", green = "g" } : { blue = "b" }

  name                 = "${local.short}-${each.value}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.port
  deregistration_delay = var.deregistration_delay_seconds
  tags                 = local.tags

  health_check {
    path                = var.health_check_path
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener_rule" "this" {
  count = local.codedeploy ? 0 : 1

  listener_arn = var.alb_listener_arn
  priority     = var.alb_listener_priority_offset
  tags         = local.tags

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }

  dynamic "condition" {
    for_each = length(var.host_headers) > 0 ? [var.host_headers] : []

    content {
      host_header {
        values = condition.value
      }
    }
  }

  condition {
    path_pattern {
      values = local.paths
    }
  }
}

# The same, but that CodeDeploy switches it to the other target group.
resource "aws_lb_listener_rule" "codedeploy" {
  count = local.codedeploy ? 1 : 0

  listener_arn = var.alb_listener_arn
  priority     = var.alb_listener_priority_offset
  tags         = local.tags

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }

  dynamic "condition" {
    for_each = length(var.host_headers) > 0 ? [var.host_headers] : []

    content {
      host_header {
        values = condition.value
      }
    }
  }

  condition {
    path_pattern {
      values = local.paths
    }
  }

  lifecycle {
    ignore_changes = [action]
  }
}
