output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "rule_name" {
  description = "Name of the EventBridge rule."
  value       = aws_cloudwatch_event_rule.this.name
}

output "dead_letter_queue_url" {
  description = "URL of the queue of the events that could not be handled."
  value       = aws_sqs_queue.dead.url
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = [aws_cloudwatch_metric_alarm.errors.alarm_name, aws_cloudwatch_metric_alarm.dead.alarm_name]
}
