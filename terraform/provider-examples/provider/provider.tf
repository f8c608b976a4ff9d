terraform {
  required_providers {
    slipway = {
      source = "slipway-cd/slipway"
    }
  }
}

provider "slipway" {
  repository = "https://git.example.com/deployment.git"
  branch     = "main"
  server     = "https://slipway.example.com"
}
