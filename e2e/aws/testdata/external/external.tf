# The article's other data source, in place of our provider's: the image comes from
# a program, of slipway for one application and of the article's own kind for another.

variable "slipway" {
  type = string
}

data "external" "webapp1" {
  program = [var.slipway, "image-uri", "--codecommit", "deployment", "--branch", "master"]
  query   = { cluster_name = local.cluster1.name, app_name = "webapp1" }
}

data "external" "tcpapp1" {
  program = ["bash", "${path.module}/image.sh"]
  query   = { cluster_name = local.cluster1.name, app_name = "tcpapp1" }
}
