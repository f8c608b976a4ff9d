terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
    slipway = {
      source = "slipway-cd/slipway"
    }
  }
}

provider "aws" {
  region = local.foundation.aws_region
}

provider "slipway" {
  codecommit = local.foundation.repository_name
  branch     = local.foundation.branch
}
