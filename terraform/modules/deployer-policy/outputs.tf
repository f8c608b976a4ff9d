output "json" {
  description = "The policy document."
  value = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.statements : statement.is if statement.needed]
  })
}
