variable "env_name" {
  description = "Environment that the application belongs to; a tag."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,64}$", var.env_name))
    error_message = "An environment's name has 1 to 64 letters, digits, dots, underscores and hyphens."
  }
}

variable "cluster_name" {
  description = "Name of the ECS cluster, which is the first folder in the deployment repository."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.cluster_name))
    error_message = "A cluster's name has 1 to 255 letters, digits, hyphens and underscores."
  }
}

variable "service_name" {
  description = "Name of the application: its ECS service, its container, and the second folder in the deployment repository."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.service_name))
    error_message = "An application's name has 1 to 255 letters, digits, hyphens and underscores."
  }
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  default     = 256

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate has 256, 512, 1024, 2048, 4096, 8192 or 16384 CPU units."
  }
}

variable "memory" {
  description = "Memory of a task in MiB."
  type        = number
  default     = 512

  validation {
    condition     = var.memory >= 512 && var.memory <= 122880 && (var.memory == 512 || var.memory % 1024 == 0)
    error_message = "Fargate has 512 MiB, or a multiple of 1024 up to 122880."
  }
}

variable "image" {
  description = "Image of the container. With `image_source = \"repository\"` that which the deployment repository names, read by a data source; with `\"ignore\"` the one to begin with."
  type        = string

  validation {
    condition     = can(regex("^[^\\s]{1,255}$", var.image))
    error_message = "Give an image of at most 255 characters. If a data source gives none, commit the application's revision.json to the deployment repository first."
  }
}

variable "image_source" {
  description = "How Terraform keeps out of deployments. `repository`: a changed image is no change; whatever else is changed here registers a new task definition, with the image as it is in the deployment repository. `ignore`: the containers are Terraform's only when the task definition is made."
  type        = string
  default     = "repository"

  validation {
    condition     = contains(["repository", "ignore"], var.image_source)
    error_message = "image_source is repository or ignore."
  }
}

variable "app_policies" {
  description = "ARNs of the IAM policies that the application's task role has."
  type        = list(string)
  default     = []
}

variable "execution_policies" {
  description = "ARNs of the IAM policies that the execution role has beside AmazonECSTaskExecutionRolePolicy: to read the secrets."
  type        = list(string)
  default     = []
}

variable "environment" {
  description = "Environment variables of the container."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables of the container whose values are in Secrets Manager or Parameter Store: their ARNs by name."
  type        = map(string)
  default     = {}
}

variable "command" {
  description = "Command of the container; null is the image's."
  type        = list(string)
  default     = null
}

variable "container_definitions_template" {
  description = "File of a template of the container definitions (JSON) instead of the built-in one. It is given `cpu`, `image`, `memory`, `aws_region`, `cluster_name`, `awslogs_group`, `container_name` and `container_ports`."
  type        = string
  default     = null
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
  default     = 30

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps a log 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days; 0 is for ever."
  }
}

variable "keep_task_definitions" {
  description = "Leave the task definitions that Terraform registered ACTIVE when it registers another or destroys them. A service may run an older one than Terraform's newest, and one that is INACTIVE cannot be rolled back to."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything in here."
  type        = map(string)
  default     = {}
}

variable "vpc_id" {
  description = "ID of the VPC."
  type        = string
}

variable "subnet_ids" {
  description = "IDs of the subnets that the tasks run in."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 16
    error_message = "Give 1 to 16 subnets."
  }
}

variable "security_group_ids" {
  description = "IDs of security groups that the tasks have beside their own."
  type        = list(string)
  default     = []
}

variable "assign_public_ip" {
  description = "Give the tasks public addresses: needed in public subnets to pull an image."
  type        = bool
  default     = false
}

variable "desired_count" {
  description = "Tasks to begin with. Afterwards it is left to autoscaling and to people."
  type        = number
  default     = 2

  validation {
    condition     = var.desired_count >= 0 && var.desired_count <= 5000 && floor(var.desired_count) == var.desired_count
    error_message = "Give a whole number from 0 to 5000."
  }
}

variable "minimum_healthy_percent" {
  description = "Share of the desired tasks that must be healthy during a deployment."
  type        = number
  default     = 100

  validation {
    condition     = var.minimum_healthy_percent >= 0 && var.minimum_healthy_percent <= 100
    error_message = "Give 0 to 100."
  }
}

variable "maximum_percent" {
  description = "Share of the desired tasks that there may be during a deployment."
  type        = number
  default     = 200

  validation {
    condition     = var.maximum_percent >= 100 && var.maximum_percent <= 200
    error_message = "Give 100 to 200."
  }
}

variable "rollback" {
  description = "Let ECS roll back a deployment whose tasks do not become healthy (circuit breaker)."
  type        = bool
  default     = true
}

variable "enable_execute_command" {
  description = "Allow ECS Exec into the tasks. The task role needs the permissions of SSM for it."
  type        = bool
  default     = false
}

variable "wait_for_steady_state" {
  description = "Let `terraform apply` wait until the service is steady."
  type        = bool
  default     = false
}

variable "port" {
  description = "Port that the container listens on."
  type        = number

  validation {
    condition     = var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "A port is a whole number from 1 to 65535."
  }
}

variable "health_check_grace_period_seconds" {
  description = "Seconds after a task's start in which failed health checks of the load balancer do not count."
  type        = number
  default     = 60

  validation {
    condition     = var.health_check_grace_period_seconds >= 0
    error_message = "Give seconds, at least 0."
  }
}

variable "deregistration_delay_seconds" {
  description = "Seconds that the load balancer gives open connections of a task that is to stop."
  type        = number
  default     = 30

  validation {
    condition     = var.deregistration_delay_seconds >= 0 && var.deregistration_delay_seconds <= 3600
    error_message = "Give 0 to 3600 seconds."
  }
}

variable "alb_listener_arn" {
  description = "ARN of the listener of the shared Application Load Balancer."
  type        = string
}

variable "alb_security_group_id" {
  description = "ID of the load balancer's security group, which alone may reach the tasks."
  type        = string
}

variable "alb_listener_priority_offset" {
  description = "Priority of the application's rule on the shared listener; each application needs its own."
  type        = number

  validation {
    condition     = var.alb_listener_priority_offset >= 1 && var.alb_listener_priority_offset <= 50000 && floor(var.alb_listener_priority_offset) == var.alb_listener_priority_offset
    error_message = "A listener's rule has a priority from 1 to 50000."
  }
}

variable "host_headers" {
  description = "Host names whose requests are the application's; empty is any."
  type        = list(string)
  default     = []
}

variable "path_patterns" {
  description = "Paths whose requests are the application's. null is `/<service_name>` and all below it where there are no `host_headers`, and any path where there are."
  type        = list(string)
  default     = null

  validation {
    condition     = var.path_patterns == null || try(length(var.path_patterns) >= 1 && length(var.path_patterns) <= 5, false)
    error_message = "Give 1 to 5 paths, or null."
  }
}

variable "health_check_path" {
  description = "Path that answers 200 when a task can serve."
  type        = string
  default     = "/health"

  validation {
    condition     = startswith(var.health_check_path, "/")
    error_message = "A path begins with a slash."
  }
}

variable "deployment_controller" {
  description = "Who deploys: `ECS` (rolling), or `CODE_DEPLOY`, with a second target group, a CodeDeploy application and a deployment group."
  type        = string
  default     = "ECS"

  validation {
    condition     = contains(["ECS", "CODE_DEPLOY"], var.deployment_controller)
    error_message = "deployment_controller is ECS or CODE_DEPLOY."
  }
}

variable "deployment_config_name" {
  description = "How CodeDeploy shifts the traffic, such as CodeDeployDefault.ECSCanary10Percent5Minutes."
  type        = string
  default     = "CodeDeployDefault.ECSAllAtOnce"

  validation {
    condition     = length(var.deployment_config_name) > 0
    error_message = "Name a deployment configuration of CodeDeploy."
  }
}
