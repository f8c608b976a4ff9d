locals {
  tags = merge({ Environment = var.env_name }, var.tags)
  name = "${var.cluster_name}-${var.service_name}"
}

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
  container_definitions_template = var.container_definitions_template
  cpu_architecture               = var.cpu_architecture
  log_retention_days             = var.log_retention_days
  keep_task_definitions          = var.keep_task_definitions
  tags                           = var.tags
}

resource "aws_security_group" "this" {
  name        = local.name
  description = "Tasks of ${var.cluster_name}/${var.service_name}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  egress {
    description = "anywhere"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_cloudwatch_event_rule" "this" {
  name                = local.name
  description         = "Runs ${var.cluster_name}/${var.service_name}"
  schedule_expression = var.schedule_expression
  state               = var.enabled ? "ENABLED" : "DISABLED"
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "this" {
  rule      = aws_cloudwatch_event_rule.this.name
  target_id = var.service_name
  arn       = var.cluster_arn
  role_arn  = aws_iam_role.events.arn

  ecs_target {
    task_definition_arn = module.template.task_definition_arn
    launch_type         = "FARGATE"
    task_count          = var.task_count
    propagate_tags      = "TASK_DEFINITION"

    network_configuration {
      subnets          = var.subnet_ids
      security_groups  = concat([aws_security_group.this.id], var.security_group_ids)
      assign_public_ip = var.assign_public_ip
    }
  }

  lifecycle {
    # A deployment moves the target to another task definition.
    ignore_changes = [ecs_target[0].task_definition_arn]
  }
}

# EventBridge's, to start a task of any revision of the family: deployments make
# new ones.
resource "aws_iam_role" "events" {
  name        = "${local.name}-events"
  description = "Starts the tasks of ${var.cluster_name}/${var.service_name} on schedule"
  tags        = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "events" {
  name = "run"
  role = aws_iam_role.events.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Run"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${replace(var.cluster_arn, "/:cluster/.*/", "")}:task-definition/${module.template.family}:*"
        Condition = { ArnEquals = { "ecs:cluster" = var.cluster_arn } }
      },
      {
        Sid       = "TagTasks"
        Effect    = "Allow"
        Action    = "ecs:TagResource"
        Resource  = "${replace(var.cluster_arn, ":cluster/", ":task/")}/*"
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Sid       = "Pass"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = module.template.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
