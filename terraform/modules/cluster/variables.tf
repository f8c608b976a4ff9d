variable "name" {
  description = "Name of the ECS cluster, which is the first folder in the deployment repository."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.name))
    error_message = "A cluster's name has 1 to 255 letters, digits, hyphens and underscores."
  }
}

variable "container_insights" {
  description = "CloudWatch Container Insights, which costs money."
  type        = bool
  default     = false
}

variable "vpc_id" {
  description = "ID of the VPC; needed with a load balancer."
  type        = string
  default     = null
}

variable "alb" {
  description = "A shared Application Load Balancer for the applications of `apps/service-alb`; null is none. With a certificate it listens on 443 and redirects from 80, without on 80."
  type = object({
    subnet_ids          = list(string)
    internal            = optional(bool, false)
    certificate_arn     = optional(string)
    allowed_cidr_blocks = optional(list(string), ["0.0.0.0/0"])
    access_logs_bucket  = optional(string)
    deletion_protection = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.alb == null || try(length(var.alb.subnet_ids) >= 2, false)
    error_message = "A load balancer wants subnets in two zones at least."
  }

  validation {
    condition     = var.alb == null || var.vpc_id != null
    error_message = "Give vpc_id too: the load balancer's security group is in it."
  }
}

variable "nlb" {
  description = "A shared Network Load Balancer for the applications of `apps/service-nlb`; null is none."
  type = object({
    subnet_ids          = list(string)
    internal            = optional(bool, false)
    deletion_protection = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.nlb == null || try(length(var.nlb.subnet_ids) >= 1, false)
    error_message = "Give the load balancer's subnets."
  }
}

variable "tags" {
  description = "Tags of everything in here."
  type        = map(string)
  default     = {}
}
