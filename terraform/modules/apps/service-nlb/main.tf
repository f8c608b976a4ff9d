locals {
  tags = merge({ Environment = var.env_name }, var.tags)
  # A target group's name has 32 characters at most and is unique in the account.
  name  = "${var.cluster_name}-${var.service_name}"
  short = "${substr(replace(local.name, "_", "-"), 0, 21)}-${substr(sha256(local.name), 0, 8)}"
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
  ingress                           = { nlb = { port = var.port, cidr_blocks = var.allowed_cidr_blocks } }
  health_check_grace_period_seconds = var.health_check_grace_period_seconds

  # As the listener has it: a service can be created only once its target group has one.
  load_balancers = [{ target_group_arn = aws_lb_listener.this.default_action[0].target_group_arn, container_port = var.port }]
}

resource "aws_lb_target_group" "this" {
  name                 = "${local.short}-t"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "TCP"
  port                 = var.port
  deregistration_delay = var.deregistration_delay_seconds
  tags                 = local.tags

  health_check {
    protocol            = "TCP"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = var.nlb_arn
  protocol          = "TCP"
  port              = coalesce(var.listener_port, var.port)
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
