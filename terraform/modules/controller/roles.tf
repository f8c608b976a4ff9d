module "policy" {
  source = "../deployer-policy"

  cluster_names  = var.deploys_to
  task_role_arns = var.task_role_arns
  schedules      = var.schedules
  codedeploy     = var.codedeploy
  deregister     = var.deregister
}

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

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "Slipway: what it may do to deploy"
  assume_role_policy = local.assume
  tags               = var.tags
}

resource "aws_iam_role_policy" "deploy" {
  name   = "deploy"
  role   = aws_iam_role.task.name
  policy = module.policy.json
}

resource "aws_iam_role_policy_attachment" "task" {
  count      = length(var.app_policies)
  role       = aws_iam_role.task.name
  policy_arn = var.app_policies[count.index]
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "Starts the task of ${var.name}"
  assume_role_policy = local.assume
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy_attachment" "execution_policies" {
  count      = length(var.execution_policies)
  role       = aws_iam_role.execution.name
  policy_arn = var.execution_policies[count.index]
}
