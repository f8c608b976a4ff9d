resource "aws_efs_file_system" "this" {
  count          = local.efs ? 1 : 0
  encrypted      = true
  creation_token = var.name
  tags           = merge({ Name = var.name }, var.tags)
}

resource "aws_efs_backup_policy" "this" {
  count          = local.efs ? 1 : 0
  file_system_id = aws_efs_file_system.this[0].id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "this" {
  count           = local.efs ? length(var.database_subnet_ids) : 0
  file_system_id  = aws_efs_file_system.this[0].id
  subnet_id       = var.database_subnet_ids[count.index]
  security_groups = [aws_security_group.database.id]
}

# Whoever comes in here is one user in one folder.
resource "aws_efs_access_point" "this" {
  count          = local.efs ? 1 : 0
  file_system_id = aws_efs_file_system.this[0].id
  tags           = var.tags

  posix_user {
    uid = 1000
    gid = 1000
  }

  root_directory {
    path = "/slipway"

    creation_info {
      owner_uid   = 1000
      owner_gid   = 1000
      permissions = "0700"
    }
  }
}

resource "aws_iam_role_policy" "efs" {
  count = local.efs ? 1 : 0
  name  = "database"
  role  = aws_iam_role.task.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Mount"
      Effect    = "Allow"
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
      Resource  = aws_efs_file_system.this[0].arn
      Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.this[0].arn } }
    }]
  })
}

# Without a policy of its own, whoever reaches a mount target may mount the file system
# without any role.
resource "aws_efs_file_system_policy" "this" {
  count          = local.efs ? 1 : 0
  file_system_id = aws_efs_file_system.this[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyTheTask"
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.this[0].arn
        Principal = { AWS = aws_iam_role.task.arn }
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.this[0].arn } }
      },
      {
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Action    = "*"
        Resource  = aws_efs_file_system.this[0].arn
        Principal = { AWS = "*" }
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
