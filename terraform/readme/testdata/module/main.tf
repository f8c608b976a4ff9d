terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
}

variable "rules" {
  description = "Rules by name: `a|b`."
  type = map(object({
    prefix = string
    days   = optional(number, 30)
  }))
}

resource "aws_s3_bucket" "this" {
  tags = var.tags
}

output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id
}
