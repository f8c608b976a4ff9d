resource "aws_lb" "nlb" {
  count = var.nlb == null ? 0 : 1

  name                             = "${local.short}-nlb"
  internal                         = var.nlb.internal
  load_balancer_type               = "network"
  subnets                          = var.nlb.subnet_ids
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.nlb.deletion_protection
  tags                             = var.tags
}
