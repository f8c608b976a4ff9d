resource "aws_iam_role" "this" {
  name        = var.name
  description = "The function ${var.name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "trigger"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["codecommit:GetBranch", "codecommit:GetDifferences", "codecommit:GetFile"]
        Resource = local.repository
      },
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = ["codepipeline:StartPipelineExecution"]
        Resource = coalesce(var.pipeline_arns, ["arn:${local.partition}:codepipeline:${local.where}:${local.prefix}*"])
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:${local.partition}:logs:${local.where}:log-group:/aws/lambda/${var.name}:*"
      },
      {
        Sid      = "GiveUp"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.dead.arn
      },
    ]
  })
}
