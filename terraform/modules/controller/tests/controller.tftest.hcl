mock_provider "aws" {
  source = "../../mocks"
}

variables {
  image               = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/slipway:1.0.0"
  repository          = "https://git.example.com/deployment.git"
  cluster_name        = "tools"
  deploys_to          = ["cluster1"]
  task_role_arns      = ["arn:aws:iam::111122223333:role/cluster1-webapp1-task"]
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-1"]
  alb_subnet_ids      = ["subnet-2", "subnet-3"]
  database_subnet_ids = ["subnet-4", "subnet-5"]
  allowed_cidr_blocks = ["10.0.0.0/8"]
  certificate_arn     = "arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000001"
  oidc_client_secret  = "secret"

  oidc = {
    issuer                 = "https://login.example.com"
    authorization_endpoint = "https://login.example.com/authorize"
    token_endpoint         = "https://login.example.com/token"
    user_info_endpoint     = "https://login.example.com/userinfo"
    client_id              = "slipway"
  }
}

run "stands_by_on_rds" {
  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "nobody stands by"
  }

  assert {
    condition     = contains([for rule in aws_security_group.task.ingress : rule.self], true)
    error_message = "who stands by cannot reach who conducts"
  }

  assert {
    condition = alltrue([for e in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment :
      e.name != "SLIPWAY_DATABASE" || e.value == "postgres://slipway@${aws_db_instance.this[0].endpoint}/slipway?sslmode=require"
    ])
    error_message = "it has another database, or speaks to it in the clear"
  }

  assert {
    condition = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, {
      name = "SLIPWAY_DATABASE_PASSWORD", value = "secretsmanager:${aws_db_instance.this[0].master_user_secret[0].secret_arn}"
    })
    error_message = "it does not know where the password is"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.rds[0].policy).Statement[0].Resource == aws_db_instance.this[0].master_user_secret[0].secret_arn && length(jsondecode(aws_iam_role_policy.rds[0].policy).Statement) == 1
    error_message = "it may read other secrets, or not its own"
  }

  assert {
    condition     = aws_db_instance.this[0].storage_encrypted && !aws_db_instance.this[0].publicly_accessible && aws_db_instance.this[0].deletion_protection && !aws_db_instance.this[0].skip_final_snapshot && aws_db_instance.this[0].password == null
    error_message = "the database can be read or lost"
  }

  assert {
    condition     = alltrue([for rule in aws_security_group.database.ingress : rule.security_groups == toset([aws_security_group.task.id]) && rule.from_port == 5432 && try(length(rule.cidr_blocks), 0) == 0])
    error_message = "others reach the database"
  }

  assert {
    condition     = length(aws_efs_file_system.this) == 0 && output.file_system_id == null && length(aws_ecs_task_definition.this.volume) == 0
    error_message = "there is a file system as well"
  }
}

run "verifies_rds" {
  variables {
    rds = { ca_file = "/etc/ssl/rds.pem", kms_key_id = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000001" }
  }

  assert {
    condition     = strcontains(aws_ecs_task_definition.this.container_definitions, "sslmode=verify-full\\u0026sslrootcert=%2Fetc%2Fssl%2Frds.pem")
    error_message = "the server is not verified"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.rds[0].policy).Statement[1].Action == "kms:Decrypt" && jsondecode(aws_iam_role_policy.rds[0].policy).Statement[1].Resource == var.rds.kms_key_id
    error_message = "it cannot decrypt its password"
  }
}

run "conducts_alone_on_efs" {
  variables {
    database = "efs"
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 1 && aws_ecs_service.this.deployment_maximum_percent == 100 && aws_ecs_service.this.deployment_minimum_healthy_percent == 0
    error_message = "two controllers could have the file at once"
  }

  assert {
    condition = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, {
      name = "SLIPWAY_DATABASE", value = "sqlite:/var/lib/slipway/slipway.db"
    }) && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints[0].containerPath == "/var/lib/slipway"
    error_message = "the database is not on the file system"
  }

  assert {
    condition     = one(aws_ecs_task_definition.this.volume).efs_volume_configuration[0].transit_encryption == "ENABLED" && one(aws_ecs_task_definition.this.volume).efs_volume_configuration[0].authorization_config[0].iam == "ENABLED"
    error_message = "the file system is mounted in the clear, or by anybody"
  }

  assert {
    condition     = length(aws_efs_mount_target.this) == 2 && aws_efs_file_system.this[0].encrypted
    error_message = "the file system cannot be mounted in every zone, or is not encrypted"
  }

  assert {
    condition     = jsondecode(aws_efs_file_system_policy.this[0].policy).Statement[0].Principal.AWS == aws_iam_role.task.arn
    error_message = "others may mount it"
  }

  assert {
    condition     = length(aws_db_instance.this) == 0 && output.database_secret_arn == null
    error_message = "there is a database server as well"
  }
}

run "refuses_another_database" {
  command = plan

  variables {
    database = "dynamodb"
  }

  expect_failures = [var.database]
}

run "watches_its_repository" {
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].command, "https://git.example.com/deployment.git")
    error_message = "it watches another repository"
  }
}

run "lets_nobody_in_who_is_not_known" {
  assert {
    condition     = aws_lb_listener.this.default_action[0].type == "authenticate-oidc" && aws_lb_listener.this.default_action[0].authenticate_oidc[0].on_unauthenticated_request == "authenticate" && aws_lb_listener.this.protocol == "HTTPS"
    error_message = "the API can be reached without a login"
  }

  assert {
    condition     = alltrue([for rule in aws_security_group.task.ingress : (rule.self == true || try(length(rule.security_groups), 0) == 1) && try(length(rule.cidr_blocks), 0) == 0])
    error_message = "the task can be reached past the load balancer"
  }

  assert {
    condition     = aws_lb.this.internal
    error_message = "the load balancer is on the internet"
  }
}

run "may_deploy_where_it_was_told_to" {
  assert {
    condition     = strcontains(aws_iam_role_policy.deploy.policy, "service/cluster1/*") && !strcontains(aws_iam_role_policy.deploy.policy, "service/*")
    error_message = "it may deploy elsewhere"
  }
}

run "refuses_to_log_in_without_tls" {
  command = plan

  variables {
    oidc = {
      issuer                 = "http://login.example.com"
      authorization_endpoint = "http://login.example.com/authorize"
      token_endpoint         = "http://login.example.com/token"
      user_info_endpoint     = "http://login.example.com/userinfo"
      client_id              = "slipway"
    }
  }

  expect_failures = [var.oidc]
}

run "refuses_to_be_without_a_certificate" {
  command = plan

  variables {
    certificate_arn = ""
  }

  expect_failures = [var.certificate_arn]
}
