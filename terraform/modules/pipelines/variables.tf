variable "pipelines" {
  description = "The pipelines, one per application, by a name of your choice. `service_name` is `app_name` where it is not given. `action` says who deploys: `ECS` (CodePipeline's own action; rolling services), `Lambda` (the function of the module `deploy-function`; batch apps, CodeDeploy, ECS's own blue/green, linear and canary strategies) or `CodeDeployToECS` (which reads an AppSpec and a task definition, not revision.json). `deployment_timeout` is in minutes. `approval` puts a manual approval before the deployment."
  type = map(object({
    cluster_name       = string
    app_name           = string
    service_name       = optional(string)
    action             = optional(string, "ECS")
    deployment_timeout = optional(number)
    execution_mode     = optional(string, "SUPERSEDED")
    approval = optional(object({
      notification_arn = optional(string)
      comment          = optional(string)
      link             = optional(string)
    }))
    codedeploy = optional(object({
      application_name      = string
      deployment_group_name = string
      app_spec_path         = optional(string)
      task_definition_path  = optional(string)
    }))
  }))

  validation {
    condition     = alltrue([for p in values(var.pipelines) : can(regex("^[A-Za-z0-9_-]{1,255}$", p.cluster_name)) && can(regex("^[A-Za-z0-9_-]{1,255}$", p.app_name))])
    error_message = "The names of clusters and applications have 1 to 255 letters, digits, hyphens and underscores."
  }

  validation {
    condition     = length(distinct([for p in values(var.pipelines) : "${p.cluster_name}-${p.app_name}"])) == length(var.pipelines)
    error_message = "Two pipelines would have the same name: they are called after cluster and application, with a hyphen between."
  }

  validation {
    condition     = alltrue([for p in values(var.pipelines) : contains(["ECS", "CodeDeployToECS", "Lambda"], p.action)])
    error_message = "action is ECS, CodeDeployToECS or Lambda."
  }

  validation {
    condition     = alltrue([for p in values(var.pipelines) : contains(["SUPERSEDED", "QUEUED"], p.execution_mode)])
    error_message = "execution_mode is SUPERSEDED or QUEUED: in PARALLEL two deployments of one service would fight."
  }

  validation {
    condition     = alltrue([for p in values(var.pipelines) : p.deployment_timeout == null || try(p.deployment_timeout >= 1 && p.deployment_timeout <= 60 && floor(p.deployment_timeout) == p.deployment_timeout, false)])
    error_message = "deployment_timeout is a whole number of minutes from 1 to 60."
  }

  validation {
    condition     = alltrue([for p in values(var.pipelines) : (p.codedeploy != null) == (p.action == "CodeDeployToECS")])
    error_message = "codedeploy names the application and deployment group of the action CodeDeployToECS, and of no other."
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

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", var.branch))
    error_message = "The branch is part of the pipelines' names: letters, digits, dots, underscores and hyphens."
  }
}

variable "artifact_bucket" {
  description = "Name of the S3 bucket of the artifacts."
  type        = string
}

variable "artifact_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the artifacts; null is the bucket's own encryption."
  type        = string
  default     = null
}

variable "deploy_function_name" {
  description = "Name of the function of the module `deploy-function`, for pipelines with the action `Lambda`."
  type        = string
  default     = null

  validation {
    condition     = var.deploy_function_name != null || alltrue([for p in values(var.pipelines) : p.action != "Lambda"])
    error_message = "A pipeline has the action Lambda: name the function."
  }
}

variable "task_role_arns" {
  description = "ARNs of the task and execution roles of the applications that CodePipeline deploys itself (`ECS`, `CodeDeployToECS`): it passes these, and no other."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.task_role_arns) > 0 || alltrue([for p in values(var.pipelines) : p.action == "Lambda"])
    error_message = "CodePipeline cannot register a task definition whose roles it may not pass: give the roles of the applications."
  }
}

variable "role_name" {
  description = "Name of the pipelines' role; null is `<repository>-<branch>-pipelines`."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything in here."
  type        = map(string)
  default     = {}
}
