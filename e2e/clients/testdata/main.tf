terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "endpoint" {
  type = string
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "sandbox"
  secret_key                  = "sandbox"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true

  endpoints {
    codecommit   = var.endpoint
    codepipeline = var.endpoint
    ecs          = var.endpoint
    eventbridge  = var.endpoint
    scheduler    = var.endpoint
    sqs          = var.endpoint
  }
}

locals {
  subnets = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  role    = "arn:aws:iam::111122223333:role/shop"
  tags    = { Environment = "shop" }
}

resource "aws_ecs_cluster" "shop" {
  name = "shop"
  tags = local.tags
}

resource "aws_ecs_task_definition" "app" {
  for_each                 = toset(["web", "batch"])
  family                   = "shop-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = local.role
  tags                     = local.tags

  container_definitions = jsonencode([{
    name         = each.key
    image        = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/${each.key}:1.0.0"
    essential    = true
    environment  = [{ name = "A", value = "b" }]
    portMappings = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/ecs/shop"
        awslogs-region        = "eu-west-1"
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

resource "aws_ecs_service" "web" {
  name                  = "web"
  cluster               = aws_ecs_cluster.shop.id
  task_definition       = aws_ecs_task_definition.app["web"].arn
  desired_count         = 1
  launch_type           = "FARGATE"
  wait_for_steady_state = true
  tags                  = local.tags

  network_configuration {
    subnets = local.subnets
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
}

resource "aws_cloudwatch_event_rule" "batch" {
  name                = "shop-batch"
  description         = "Runs batch"
  schedule_expression = "rate(5 minutes)"
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "batch" {
  rule     = aws_cloudwatch_event_rule.batch.name
  arn      = aws_ecs_cluster.shop.arn
  role_arn = local.role
  input    = jsonencode({ containerOverrides = [{ name = "batch", command = ["nightly"] }] })

  ecs_target {
    task_definition_arn = aws_ecs_task_definition.app["batch"].arn
    launch_type         = "FARGATE"
    task_count          = 1
    propagate_tags      = "TASK_DEFINITION"
    tags                = local.tags

    network_configuration {
      subnets = local.subnets
    }
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 2
  }
}

resource "aws_scheduler_schedule_group" "shop" {
  name = "shop"
  tags = local.tags
}

resource "aws_scheduler_schedule" "batch" {
  name                         = "shop-batch"
  group_name                   = aws_scheduler_schedule_group.shop.name
  schedule_expression          = "cron(0 3 * * ? *)"
  schedule_expression_timezone = "America/Toronto"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_ecs_cluster.shop.arn
    role_arn = local.role
    input    = jsonencode({ containerOverrides = [{ name = "batch", command = ["nightly"] }] })

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.app["batch"].arn
      launch_type         = "FARGATE"
      propagate_tags      = "TASK_DEFINITION"

      network_configuration {
        subnets = local.subnets
      }
    }
  }
}

resource "aws_codecommit_repository" "shop" {
  repository_name = "shop"
  description     = "What runs in the shop"
  tags            = local.tags
}

resource "aws_sqs_queue" "dead" {
  name                      = "shop-dead"
  message_retention_seconds = 1209600
  tags                      = local.tags
}

resource "aws_sqs_queue" "commits" {
  name           = "shop-commits"
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue_policy" "commits" {
  queue_url = aws_sqs_queue.commits.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.commits.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.commits.arn } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "commits" {
  name = "shop-commits"
  event_pattern = jsonencode({
    source      = ["aws.codecommit"]
    resources   = [aws_codecommit_repository.shop.arn]
    detail-type = ["CodeCommit Repository State Change"]
    detail      = { event = ["referenceCreated", "referenceUpdated"], referenceName = ["main"] }
  })
}

resource "aws_cloudwatch_event_target" "commits" {
  rule = aws_cloudwatch_event_rule.commits.name
  arn  = aws_sqs_queue.commits.arn

  input_transformer {
    input_paths    = { commit = "$.detail.commitId" }
    input_template = "{\"commit\": <commit>}"
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

resource "aws_cloudwatch_event_bus" "shop" {
  name = "shop"
}

# The article's pipelines, one for each app.
resource "aws_codepipeline" "pipelines" {
  for_each = toset(["webapp1", "tcpapp1"])
  name     = "deployment-main-cluster1-${each.key}"
  role_arn = local.role
  tags     = local.tags

  artifact_store {
    type     = "S3"
    location = "build-bucket"
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeCommit"
      version          = "1"
      output_artifacts = ["source_output"]

      configuration = {
        RepositoryName       = "deployment"
        BranchName           = "main"
        PollForSourceChanges = "false"
      }
    }
  }

  stage {
    name = "Deploy"

    action {
      name            = "Deploy"
      category        = "Deploy"
      owner           = "AWS"
      provider        = "ECS"
      version         = "1"
      input_artifacts = ["source_output"]

      configuration = {
        ClusterName = "cluster1"
        ServiceName = each.key
        FileName    = "cluster1/${each.key}/revision.json"
      }
    }
  }
}
