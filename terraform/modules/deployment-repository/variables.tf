variable "name" {
  description = "Name of the CodeCommit repository. It begins the name of every pipeline."
  type        = string
  default     = "deployment"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,100}$", var.name)) && !endswith(var.name, ".git")
    error_message = "A CodeCommit repository's name has 1 to 100 letters, digits, dots, underscores and hyphens, and does not end in .git."
  }
}

variable "description" {
  description = "Description of the repository."
  type        = string
  default     = "Which images run: one revision.json per application"
}

variable "branch" {
  description = "Branch that is deployed. The first branch that is pushed to a CodeCommit repository becomes its default branch."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$", var.branch))
    error_message = "Give the branch's name alone, such as main or master, without refs/heads/."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the repository; null is the AWS managed key aws/codecommit."
  type        = string
  default     = null
}

variable "apps" {
  description = "First images of the applications: by `<cluster>/<app>`, the image of each container that the pipeline is to change. Only for the outputs `files` and `seed_script`: what is committed later is not Terraform's."
  type        = map(map(string))
  default     = {}

  validation {
    condition     = alltrue([for app, _ in var.apps : can(regex("^[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}$", app))])
    error_message = "Name each application <cluster>/<app>, both of letters, digits, hyphens and underscores."
  }

  validation {
    condition     = alltrue([for _, images in var.apps : length(images) >= 1 && length(images) <= 10])
    error_message = "A revision.json names 1 to 10 containers."
  }

  validation {
    condition = alltrue(flatten([
      for _, images in var.apps : [for _, image in images : can(regex("^[^\\s'\"\\\\]{1,255}$", image))]
    ]))
    error_message = "An image has at most 255 characters, without white space and quotes."
  }
}

variable "tags" {
  description = "Tags of the repository."
  type        = map(string)
  default     = {}
}
