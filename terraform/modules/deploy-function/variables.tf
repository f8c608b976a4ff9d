variable "name" {
  description = "Name of the function and its role."
  type        = string
  default     = "slipway-deploy"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,52}$", var.name))
    error_message = "A name has 1 to 52 letters, digits, hyphens and underscores."
  }
}

variable "repository_name" {
  description = "Name of the CodeCommit repository."
  type        = string
  default     = "deployment"
}

variable "cluster_names" {
  description = "Names of the ECS clusters that are deployed to."
  type        = list(string)
}

variable "task_role_arns" {
  description = "ARNs of the task and execution roles of the applications that the function deploys: it passes these, and no other."
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

variable "lambda_zip" {
  description = "Zip file with the executable `bootstrap`, built from cmd/slipway-lambda."
  type        = string

  validation {
    condition     = can(filesha256(var.lambda_zip))
    error_message = "There is no such file. Build it: see the README."
  }
}

variable "architecture" {
  description = "Architecture that the zip is built for: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "environment" {
  description = "Further environment variables of the function."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "Days that the function's log is kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps a log 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days; 0 is for ever."
  }
}

variable "tags" {
  description = "Tags of everything in here."
  type        = map(string)
  default     = {}
}
