variable "name" {
  description = "Name of the service, its load balancer, its roles and its log group."
  type        = string
  default     = "slipway"

  validation {
    condition     = can(regex("^[A-Za-z0-9](?:[A-Za-z0-9-]{0,26}[A-Za-z0-9])?$", var.name))
    error_message = "A name has 1 to 28 letters, digits and hyphens, and begins and ends with a letter or a digit."
  }
}

variable "image" {
  description = "Image with `slipway`, git, and what git needs to reach the deployment repository. There is none to be had: build your own, see below."
  type        = string

  validation {
    condition     = can(regex("^[^\\s]{1,255}$", var.image))
    error_message = "Give an image of at most 255 characters."
  }
}

variable "repository" {
  description = "URL of the deployment repository, as git has it."
  type        = string
}

variable "branch" {
  description = "Branch that is deployed."
  type        = string
  default     = "main"
}

variable "cluster_name" {
  description = "Name of the ECS cluster that the controller itself runs in."
  type        = string
}

variable "deploys_to" {
  description = "Names of the ECS clusters that it deploys to."
  type        = list(string)
}

variable "task_role_arns" {
  description = "ARNs of the task and execution roles of the applications: it passes these, and no other."
  type        = list(string)
}

variable "schedules" {
  description = "Batch apps are deployed: the ARNs of the roles that their rules and schedules start tasks with. null where there are none."
  type        = object({ role_arns = list(string) })
  default     = null
}

variable "codedeploy" {
  description = "Services with the controller CODE_DEPLOY are deployed."
  type        = bool
  default     = false
}

variable "deregister" {
  description = "Old task definitions may be deregistered, for applications whose `pipeline.yaml`, or `slipway.yaml`, says how many to `keep`."
  type        = bool
  default     = false
}

variable "vpc_id" {
  description = "ID of the VPC."
  type        = string
}

variable "subnet_ids" {
  description = "IDs of the subnets that the task runs in."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "Give one subnet at least."
  }
}

variable "database" {
  description = "Where executions are kept: `rds` (PostgreSQL; two tasks, of which one stands by) or `efs` (SQLite on a file system; one task)."
  type        = string
  default     = "rds"

  validation {
    condition     = contains(["rds", "efs"], var.database)
    error_message = "database is rds or efs."
  }
}

variable "database_subnet_ids" {
  description = "IDs of the subnets of the database, or of the file system's mount targets: one in each zone that `subnet_ids` has, two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.database_subnet_ids) >= 2
    error_message = "A database wants subnets in two zones at least."
  }
}

variable "rds" {
  description = "Of a database in RDS: its size; whether a second zone has a copy that takes over; for how many days backups are kept; a KMS key's ARN for its storage and its password, null for AWS's own; and the path, in the image, of RDS's certificates, with which the server is verified, null to encrypt without."
  type = object({
    instance_class        = optional(string, "db.t4g.micro")
    engine_version        = optional(string, "17")
    multi_az              = optional(bool, true)
    backup_retention_days = optional(number, 7)
    kms_key_id            = optional(string)
    ca_file               = optional(string)
  })
  default = {}

  validation {
    condition     = tonumber(split(".", var.rds.engine_version)[0]) >= 15
    error_message = "PostgreSQL 15 or newer, which RDS serves with TLS alone."
  }

  validation {
    condition     = var.rds.backup_retention_days >= 1 && var.rds.backup_retention_days <= 35
    error_message = "Backups are kept for 1 to 35 days."
  }

  validation {
    condition     = var.rds.kms_key_id == null || can(regex("^arn:[^:]+:kms:", var.rds.kms_key_id))
    error_message = "kms_key_id is the ARN of a key."
  }
}

variable "assign_public_ip" {
  description = "Give the task a public address: needed in public subnets."
  type        = bool
  default     = false
}

variable "alb_subnet_ids" {
  description = "IDs of the subnets of the load balancer, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.alb_subnet_ids) >= 2
    error_message = "A load balancer wants subnets in two zones at least."
  }
}

variable "internal" {
  description = "Keep the load balancer's addresses inside of the VPC."
  type        = bool
  default     = true
}

variable "allowed_cidr_blocks" {
  description = "Address ranges that may reach the load balancer."
  type        = list(string)

  validation {
    condition     = length(var.allowed_cidr_blocks) >= 1 && alltrue([for block in var.allowed_cidr_blocks : can(cidrhost(block, 0))])
    error_message = "Give address ranges such as 10.0.0.0/16."
  }
}

variable "certificate_arn" {
  description = "ARN of the load balancer's certificate."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:(acm|iam):", var.certificate_arn))
    error_message = "Give the ARN of a certificate: people log in through this load balancer, so there is no plain HTTP."
  }
}

variable "oidc" {
  description = "Who logs people in. The controller has no authentication of its own: the load balancer lets nobody through that the provider does not know."
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
    scope                  = optional(string, "openid")
  })

  validation {
    condition = alltrue([for url in [var.oidc.issuer, var.oidc.authorization_endpoint, var.oidc.token_endpoint, var.oidc.user_info_endpoint] : startswith(url, "https://")])

    error_message = "The issuer and the endpoints are https:// URLs."
  }
}

variable "oidc_client_secret" {
  description = "The client's secret. It is in Terraform's state, as everything that the load balancer is told."
  type        = string
  sensitive   = true
}

variable "secrets" {
  description = "Environment variables whose values are in Secrets Manager or Parameter Store, such as git's credentials: their ARNs by name."
  type        = map(string)
  default     = {}
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
  default     = {}
}

variable "app_policies" {
  description = "ARNs of further IAM policies of the task role: to pull from CodeCommit, to assume roles in other accounts."
  type        = list(string)
  default     = []
}

variable "execution_policies" {
  description = "ARNs of further IAM policies of the execution role: to read the secrets."
  type        = list(string)
  default     = []
}

variable "cpu" {
  description = "CPU units of the task."
  type        = number
  default     = 256
}

variable "memory" {
  description = "Memory of the task in MiB."
  type        = number
  default     = 512
}

variable "cpu_architecture" {
  description = "Architecture of the image: X86_64 or ARM64."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture is X86_64 or ARM64."
  }
}

variable "log_retention_days" {
  description = "Days that the log is kept."
  type        = number
  default     = 90
}

variable "deletion_protection" {
  description = "Protect the load balancer and the database from being deleted; without it, no last snapshot is taken of the database either."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything in here."
  type        = map(string)
  default     = {}
}
