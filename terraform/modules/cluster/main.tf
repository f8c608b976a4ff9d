locals {
  # A load balancer's name has 32 characters at most, none of them an underscore.
  short = trim(substr(replace(var.name, "_", "-"), 0, 28), "-")
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}
