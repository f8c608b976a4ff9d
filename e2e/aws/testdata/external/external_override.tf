terraform {
  required_providers {
    external = {
      source = "hashicorp/external"
    }
  }
}

module "webapp1" {
  image = data.external.webapp1.result.imageUri
}

module "tcpapp1" {
  image = data.external.tcpapp1.result.imageUri
}
