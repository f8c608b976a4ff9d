terraform {
  required_providers {
    slipway = {
      source = "slipway-cd/slipway"
    }
  }
}

# What git says at the branch's head.
data "slipway_revision" "webapp1" {
  cluster = "cluster1"
  app     = "webapp1"
}

# A sidecar's image, read through CodeCommit's API.
data "slipway_revision" "proxy" {
  codecommit = "deployment"
  region     = "eu-west-1"
  branch     = "master"
  cluster    = "cluster1"
  app        = "webapp1"
  container  = "proxy"
}

locals {
  container_definitions = jsonencode([
    { name = "webapp1", image = data.slipway_revision.webapp1.image_uri, essential = true },
    { name = "proxy", image = data.slipway_revision.proxy.image_uri, essential = false },
  ])
}

output "deployed_by" {
  value = "${data.slipway_revision.webapp1.author}, ${data.slipway_revision.webapp1.commit}"
}
