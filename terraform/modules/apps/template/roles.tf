locals {
  assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

# What ECS itself needs to start a task.
resource "aws_iam_role" "execution" {
  name               = "${local.family}-execution"
  description        = "Starts the tasks of ${var.cluster_name}/${var.service_name}"
  assume_role_policy = local.assume
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

# Counted, for an ARN may not be known before it is made.
resource "aws_iam_role_policy_attachment" "execution_policies" {
  count      = length(var.execution_policies)
  role       = aws_iam_role.execution.name
  policy_arn = var.execution_policies[count.index]
}

# What the application may do.
resource "aws_iam_role" "task" {
  name               = "${local.family}-task"
  description        = "The tasks of ${var.cluster_name}/${var.service_name}"
  assume_role_policy = local.assume
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "task" {
  count      = length(var.app_policies)
  role       = aws_iam_role.task.name
  policy_arn = var.app_policies[count.index]
}
