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

variable "variable" {
  type    = string
  default = "value"
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "sandbox"
  secret_key                  = "sandbox"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true

  endpoints {
    lambda = var.endpoint
  }
}

resource "aws_lambda_function" "f" {
  function_name                  = "shop"
  description                    = "Starts pipelines"
  role                           = "arn:aws:iam::111122223333:role/shop"
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  filename                       = abspath("function.zip")
  source_code_hash               = filebase64sha256("function.zip")
  timeout                        = 30
  memory_size                    = 256
  publish                        = true
  reserved_concurrent_executions = 5
  tags                           = { Environment = "shop" }

  environment {
    variables = { VARIABLE = var.variable }
  }

  dead_letter_config {
    target_arn = "arn:aws:sqs:eu-west-1:111122223333:dead"
  }
}

resource "aws_lambda_permission" "events" {
  statement_id  = "AllowEvents"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:111122223333:rule/commits"
}

resource "aws_lambda_function_event_invoke_config" "f" {
  function_name                = aws_lambda_function.f.function_name
  maximum_retry_attempts       = 1
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = "arn:aws:sqs:eu-west-1:111122223333:failed"
    }
  }
}
