output "pipelines" {
  description = "Names of the pipelines."
  value       = module.pipelines.names
}

output "dead_letter_queue_url" {
  description = "URL of the queue of the events that could not be handled."
  value       = module.trigger.dead_letter_queue_url
}
