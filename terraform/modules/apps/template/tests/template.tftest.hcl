mock_provider "aws" {
  source = "../../../mocks"
}

variables {
  env_name        = "production"
  cluster_name    = "cluster1"
  service_name    = "webapp1"
  image           = "webapp1:1"
  container_ports = [8080]
}

run "registers_what_the_repository_names" {
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "webapp1:1"
    error_message = "the image is not the one that was read"
  }

  assert {
    condition     = output.family == "cluster1-webapp1" && aws_ecs_task_definition.this.network_mode == "awsvpc" && contains(aws_ecs_task_definition.this.requires_compatibilities, "FARGATE")
    error_message = "not a task definition for Fargate"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].logConfiguration.options["awslogs-group"] == output.log_group_name
    error_message = "logs go elsewhere"
  }
}

# Each run goes on from the state of the one before.
run "a_deployment_is_no_change" {
  variables {
    image = "webapp1:2"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "webapp1:1"
    error_message = "a new image in the repository made Terraform register a task definition"
  }
}

run "a_changed_template_takes_the_image_of_the_repository" {
  variables {
    image       = "webapp1:2"
    environment = { LEVEL = "debug" }
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "webapp1:2"
    error_message = "Terraform registered the image of long ago"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment == [{ name = "LEVEL", value = "debug" }]
    error_message = "the change is not in it"
  }
}

run "ignore_begins" {
  variables {
    image_source = "ignore"
    image        = "webapp1:2"
    environment  = { LEVEL = "debug" }
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "webapp1:2"
    error_message = "switching lost the image"
  }
}

run "ignore_leaves_the_containers_alone" {
  variables {
    image_source = "ignore"
    image        = "webapp1:3"
    environment  = { LEVEL = "info" }
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "webapp1:2" && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment == [{ name = "LEVEL", value = "debug" }]
    error_message = "containers are not ignored"
  }
}

run "fills_the_articles_template" {
  variables {
    container_definitions_template = "./tests/containers.json.tftpl"
    container_ports                = [8080, 9000]
    image                          = "webapp1:4"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings == [{ containerPort = 8080 }, { containerPort = 9000 }]
    error_message = "the ports are not in it"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "webapp1:4" && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment[0].value == "cluster1"
    error_message = "the template was not filled"
  }
}

run "lets_ecs_alone_assume_the_roles" {
  command = plan

  variables {
    app_policies = ["arn:aws:iam::111122223333:policy/read-orders"]
  }

  assert {
    condition     = jsondecode(aws_iam_role.task.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" } && aws_iam_role.task.assume_role_policy == aws_iam_role.execution.assume_role_policy
    error_message = "somebody else may assume a role"
  }

  assert {
    condition     = aws_iam_role_policy_attachment.task[0].policy_arn == "arn:aws:iam::111122223333:policy/read-orders"
    error_message = "the application lacks its policy"
  }
}

run "refuses_sizes_that_fargate_lacks" {
  command = plan

  variables {
    cpu    = 300
    memory = 700
  }

  expect_failures = [var.cpu, var.memory]
}

run "refuses_to_be_without_an_image" {
  command = plan

  variables {
    image = null
  }

  expect_failures = [var.image]
}

run "refuses_a_third_way" {
  command = plan

  variables {
    image_source = "terraform"
  }

  expect_failures = [var.image_source]
}

run "refuses_ports_that_there_are_not" {
  command = plan

  variables {
    container_ports = [70000]
  }

  expect_failures = [var.container_ports]
}
