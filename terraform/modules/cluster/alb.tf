locals {
  tls = try(var.alb.certificate_arn, null) != null
  # Keyed by what is known before anything is made: a certificate may not be.
  alb_ports = var.alb == null ? [] : local.tls ? [80, 443] : [80]
}

resource "aws_security_group" "alb" {
  count = var.alb == null ? 0 : 1

  name        = "${var.name}-alb"
  description = "Load balancer of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = var.tags

  dynamic "ingress" {
    for_each = local.alb_ports

    content {
      description = "clients"
      protocol    = "tcp"
      from_port   = ingress.value
      to_port     = ingress.value
      cidr_blocks = var.alb.allowed_cidr_blocks
    }
  }

  egress {
    description = "tasks"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "alb" {
  count = var.alb == null ? 0 : 1

  name                       = "${local.short}-alb"
  internal                   = var.alb.internal
  load_balancer_type         = "application"
  subnets                    = var.alb.subnet_ids
  security_groups            = [aws_security_group.alb[0].id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.alb.deletion_protection
  tags                       = var.tags

  dynamic "access_logs" {
    for_each = var.alb.access_logs_bucket == null ? [] : [var.alb.access_logs_bucket]

    content {
      bucket  = access_logs.value
      enabled = true
    }
  }
}

# What no application's rule takes is not found.
resource "aws_lb_listener" "alb" {
  count = var.alb == null ? 0 : 1

  load_balancer_arn = aws_lb.alb[0].arn
  port              = local.tls ? 443 : 80
  protocol          = local.tls ? "HTTPS" : "HTTP"
  certificate_arn   = var.alb.certificate_arn
  ssl_policy        = local.tls ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null
  tags              = var.tags

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "not found"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener" "redirect" {
  count = local.tls ? 1 : 0

  load_balancer_arn = aws_lb.alb[0].arn
  port              = 80
  protocol          = "HTTP"
  tags              = var.tags

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
