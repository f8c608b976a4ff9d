variable "name" {
  description = "Name of the VPC and of what is in it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,64}$", var.name))
    error_message = "A name has 1 to 64 letters, digits, dots, underscores and hyphens."
  }
}

variable "cidr_block" {
  description = "Address range of the VPC; each subnet gets a sixteenth."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 24, false)
    error_message = "Give an address range from /16 to /24, such as 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "Availability zones; load balancers want two at least."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 8 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "Give 2 to 8 different zones."
  }
}

variable "nat_gateways" {
  description = "How the private subnets reach the internet: by a NAT gateway `per-zone`, by a `single` one, or not at all (`none`: run the tasks in the public subnets then, or add VPC endpoints)."
  type        = string
  default     = "single"

  validation {
    condition     = contains(["none", "single", "per-zone"], var.nat_gateways)
    error_message = "nat_gateways is none, single or per-zone."
  }
}

variable "tags" {
  description = "Tags of everything in here."
  type        = map(string)
  default     = {}
}
