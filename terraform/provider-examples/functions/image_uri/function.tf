terraform {
  required_version = ">= 1.8"
  required_providers {
    slipway = {
      source = "slipway-cd/slipway"
    }
  }
}

locals {
  revision_json = file("${path.module}/revision.json")
}

output "image" {
  value = provider::slipway::image_uri(local.revision_json, "webapp1")
}
