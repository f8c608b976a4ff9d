variable "foundation_state" {
  description = "Where the state of the foundation is."
  type = object({
    bucket = string
    key    = string
    region = string
  })
}

variable "lambda_zip" {
  description = "Zip file of the Lambda functions, built from cmd/slipway-lambda."
  type        = string
}

variable "lambda_architecture" {
  description = "Architecture that the zip file is built for."
  type        = string
  default     = "arm64"
}

variable "alarm_actions" {
  description = "ARNs of what the alarms of the trigger notify."
  type        = list(string)
  default     = []
}

variable "codedeploy_action" {
  description = "What CodePipeline has CodeDeploy deploy with: `Lambda`, which reads revision.json as everywhere, or `CodeDeployToECS`. See the module pipelines for what the latter costs."
  type        = string
  default     = "Lambda"
}
