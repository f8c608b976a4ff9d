variable "cluster_names" {
  description = "Names of the ECS clusters that are deployed to."
  type        = list(string)

  validation {
    condition     = length(var.cluster_names) >= 1 && alltrue([for name in var.cluster_names : can(regex("^[A-Za-z0-9_-]{1,255}$", name))])
    error_message = "Name one cluster at least, each by 1 to 255 letters, digits, hyphens and underscores."
  }
}

variable "task_role_arns" {
  description = "ARNs of the task and execution roles of the applications: these may be passed to ECS, and no other."
  type        = list(string)

  validation {
    condition     = length(var.task_role_arns) >= 1
    error_message = "A task definition whose roles may not be passed cannot be registered: give the roles of the applications."
  }
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
