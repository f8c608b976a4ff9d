variable "name" {
  description = "Name of the bucket, unique in AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or a digit."
  }
}

variable "kms_key_arn" {
  description = "ARN of a KMS key that encrypts the artifacts; null is S3's own key (AES256). The role of the pipelines must be allowed to use it: give it to the module `pipelines` too."
  type        = string
  default     = null
}

variable "expiration_days" {
  description = "Days after which an artifact is deleted. A stage can be retried or rolled back to only while its artifact is there."
  type        = number
  default     = 90

  validation {
    condition     = var.expiration_days >= 1 && floor(var.expiration_days) == var.expiration_days
    error_message = "Give whole days, at least 1."
  }
}

variable "noncurrent_expiration_days" {
  description = "Days after which an overwritten or deleted version of an artifact is gone."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_expiration_days >= 1 && floor(var.noncurrent_expiration_days) == var.noncurrent_expiration_days
    error_message = "Give whole days, at least 1."
  }
}

variable "force_destroy" {
  description = "Delete the artifacts with the bucket. Without, a bucket that is not empty cannot be destroyed."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
}
