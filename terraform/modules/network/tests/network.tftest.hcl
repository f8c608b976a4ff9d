mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "shop"
  availability_zones = ["eu-west-1a", "eu-west-1b"]
}

run "shares_a_nat_gateway" {
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private) == 2
    error_message = "a private subnet does not reach the internet, or pays for a NAT gateway of its own"
  }

  assert {
    condition     = length(output.private_subnet_ids) == 2 && length(output.public_subnet_ids) == 2
    error_message = "a zone lacks a subnet"
  }

  assert {
    condition = length(distinct(concat(
      [for subnet in aws_subnet.public : subnet.cidr_block], [for subnet in aws_subnet.private : subnet.cidr_block],
    ))) == 4
    error_message = "address ranges overlap"
  }
}

run "has_a_nat_gateway_in_each_zone" {
  variables {
    nat_gateways = "per-zone"
  }

  assert {
    condition     = alltrue([for zone, route in aws_route.private : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "a zone depends on another's NAT gateway"
  }
}

run "does_without" {
  command = plan

  variables {
    nat_gateways = "none"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.private) == 0
    error_message = "a NAT gateway costs money"
  }
}

run "refuses_one_zone" {
  command = plan

  variables {
    availability_zones = ["eu-west-1a"]
  }

  expect_failures = [var.availability_zones]
}

run "refuses_a_range_without_room" {
  command = plan

  variables {
    cidr_block = "10.0.0.0/28"
  }

  expect_failures = [var.cidr_block]
}
