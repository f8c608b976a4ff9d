terraform {
  required_providers {
    slipway = {
      source = "slipway-cd/slipway"
    }
  }
}

data "slipway_deployment" "webapp1" {
  cluster = "cluster1"
  app     = "webapp1"
  server  = "https://slipway.example.com"
}

# A plan that says so where the last deployment did not go well.
check "webapp1_is_deployed" {
  assert {
    condition     = try(contains(["deployed", "unchanged"], data.slipway_deployment.webapp1.execution.outcome), true)
    error_message = try("webapp1: ${data.slipway_deployment.webapp1.execution.reason}", "webapp1 is still being deployed")
  }
}

output "running" {
  value = data.slipway_deployment.webapp1.images
}
