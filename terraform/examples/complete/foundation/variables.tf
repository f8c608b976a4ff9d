variable "aws_region" {
  description = "Region of everything."
  type        = string
  default     = "eu-west-1"
}

variable "artifact_bucket" {
  description = "Name of the bucket of CodePipeline's artifacts, unique in AWS."
  type        = string
}

variable "certificate_arn" {
  description = "ARN of the load balancer's certificate; null is plain HTTP."
  type        = string
  default     = null
}

variable "nat_gateways" {
  description = "How the private subnets reach the internet: none, single or per-zone."
  type        = string
  default     = "per-zone"
}

variable "deletion_protection" {
  description = "Protect the load balancers from being deleted."
  type        = bool
  default     = true
}

variable "force_destroy" {
  description = "Delete the artifacts with their bucket."
  type        = bool
  default     = false
}
