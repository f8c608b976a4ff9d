variable "name" {
  description = "Name of the function, its role, its rule and its queue."
  type        = string
  default     = "slipway-trigger"

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

variable "branch" {
  description = "Branch that is deployed."
  type        = string
  default     = "main"
}

variable "pipeline_name" {
  description = "How pipelines are called, of `{repository}`, `{branch}`, `{cluster}` and `{app}`. The module `pipelines` calls them as the default says."
  type        = string
  default     = "{repository}-{branch}-{cluster}-{app}"

  validation {
    condition     = strcontains(var.pipeline_name, "{cluster}") && strcontains(var.pipeline_name, "{app}")
    error_message = "Without {cluster} and {app} two applications would have one pipeline."
  }
}

variable "pipeline_arns" {
  description = "ARNs of the pipelines that may be started; null is all those called `<repository>-<branch>-…`."
  type        = list(string)
  default     = null
}

variable "maximum_retry_attempts" {
  description = "How often Lambda tries again what failed, before it goes to the dead letter queue."
  type        = number
  default     = 2

  validation {
    condition     = contains([0, 1, 2], var.maximum_retry_attempts)
    error_message = "Lambda tries again 0, 1 or 2 times."
  }
}

variable "maximum_event_age_seconds" {
  description = "Seconds after which an event that was not handled goes to the dead letter queue."
  type        = number
  default     = 21600

  validation {
    condition     = var.maximum_event_age_seconds >= 60 && var.maximum_event_age_seconds <= 21600
    error_message = "Give 60 to 21600 seconds."
  }
}

variable "alarm_actions" {
  description = "ARNs of what the alarms notify: SNS topics."
  type        = list(string)
  default     = []
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
