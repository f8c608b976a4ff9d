variable "lambda_zip" {
  description = "Zip file of the Lambda functions, built from cmd/slipway-lambda."
  type        = string
}

variable "lambda_architecture" {
  description = "Architecture that the zip file is built for."
  type        = string
  default     = "arm64"
}

variable "service1_image" {
  description = "Image that service1 begins with: from then on it is no concern of Terraform's."
  type        = string
}
