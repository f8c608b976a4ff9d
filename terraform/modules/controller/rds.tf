resource "aws_db_subnet_group" "this" {
  count      = local.rds ? 1 : 0
  name       = var.name
  subnet_ids = var.database_subnet_ids
  tags       = var.tags
}

resource "aws_db_instance" "this" {
  count          = local.rds ? 1 : 0
  identifier     = var.name
  engine         = "postgres"
  engine_version = var.rds.engine_version
  instance_class = var.rds.instance_class
  db_name        = "slipway"
  username       = "slipway"
  # RDS makes the password, keeps it in Secrets Manager and changes it by itself: it is
  # not in Terraform's state, and the controller reads it anew for each connection.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.rds.kms_key_id

  storage_type          = "gp3"
  allocated_storage     = 20
  max_allocated_storage = 100
  storage_encrypted     = true
  kms_key_id            = var.rds.kms_key_id

  multi_az                = var.rds.multi_az
  backup_retention_period = var.rds.backup_retention_days
  copy_tags_to_snapshot   = true

  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false

  auto_minor_version_upgrade = true
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = !var.deletion_protection
  final_snapshot_identifier  = var.deletion_protection ? "${var.name}-final" : null
  tags                       = var.tags

  # RDS applies minor versions by itself; Terraform is not to go back on them.
  lifecycle {
    ignore_changes = [engine_version]
  }
}

resource "aws_iam_role_policy" "rds" {
  count = local.rds ? 1 : 0
  name  = "database"
  role  = aws_iam_role.task.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid      = "Password"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = local.secret_arn
      }], var.rds.kms_key_id == null ? [] : [{
      Sid       = "Decrypt"
      Effect    = "Allow"
      Action    = "kms:Decrypt"
      Resource  = var.rds.kms_key_id
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${data.aws_region.current.name}.amazonaws.com" } }
    }])
  })
}
