data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  family        = "${var.cluster_name}-${var.service_name}"
  awslogs_group = "/ecs/${var.cluster_name}/${var.service_name}"
  tags          = merge({ Environment = var.env_name }, var.tags)

  # The article's variables of the template, but for the image.
  template = {
    cpu             = var.cpu
    memory          = var.memory
    aws_region      = data.aws_region.current.name
    cluster_name    = var.cluster_name
    awslogs_group   = local.awslogs_group
    container_name  = var.service_name
    container_ports = var.container_ports
  }

  containers = { for what, image in { real = var.image, blank = "image" } : what => (
    var.container_definitions_template != null
    ? jsonencode(jsondecode(templatefile(coalesce(var.container_definitions_template, "${path.module}/versions.tf"), merge(local.template, { image = image }))))
    : jsonencode([merge(
      {
        name         = var.service_name
        image        = image
        essential    = true
        portMappings = [for port in var.container_ports : { containerPort = port, hostPort = port, protocol = "tcp" }]
        environment  = [for name, value in var.environment : { name = name, value = value }]
        secrets      = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
        logConfiguration = {
          logDriver = "awslogs"
          options = {
            awslogs-group         = local.awslogs_group
            awslogs-region        = data.aws_region.current.name
            awslogs-stream-prefix = var.service_name
          }
        }
      },
      var.command == null ? {} : { command = var.command },
    )])
  ) }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.awslogs_group
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

# What of the containers is Terraform's. A new image in the deployment
# repository does not change it; neither does anything, with "ignore".
resource "terraform_data" "template" {
  input = var.image_source == "repository" ? sha256(local.containers["blank"]) : "ignore"
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = local.containers["real"]
  skip_destroy             = var.keep_task_definitions
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  lifecycle {
    # Pipelines register newer revisions, with other images: that is no drift.
    # A replacement is made of the configuration as it is, the image included:
    # Terraform ignores these changes in updates alone.
    ignore_changes        = [container_definitions]
    replace_triggered_by  = [terraform_data.template]
    create_before_destroy = true
  }
}
