variable "aws_region" {
  description = "Region of everything."
  type        = string
  default     = "ca-central-1"
}

variable "build_bucket" {
  description = "Name of the bucket of CodePipeline's artifacts, unique in AWS."
  type        = string
}

variable "registry" {
  description = "Registry that the applications' first images are in; null is this account's ECR."
  type        = string
  default     = null
}
