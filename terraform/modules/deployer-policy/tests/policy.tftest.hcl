mock_provider "aws" {
  source = "../../mocks"
}

variables {
  cluster_names  = ["cluster1"]
  task_role_arns = ["arn:aws:iam::111122223333:role/cluster1-webapp1-task"]
}

run "is_limited_to_the_clusters" {
  assert {
    condition     = one([for s in jsondecode(output.json).Statement : s.Resource if s.Sid == "Services"]) == ["arn:aws:ecs:eu-west-1:111122223333:service/cluster1/*"]
    error_message = "services of other clusters could be updated"
  }

  assert {
    condition     = contains(one([for s in jsondecode(output.json).Statement : s.Resource if s.Sid == "ServiceDeployments"]), "arn:aws:ecs:eu-west-1:111122223333:service/cluster1/*")
    error_message = "AWS asks for the service beside its deployment"
  }

  assert {
    condition     = one([for s in jsondecode(output.json).Statement : s.Resource if s.Sid == "PassTaskRoles"]) == ["arn:aws:iam::111122223333:role/cluster1-webapp1-task"]
    error_message = "other roles could be passed"
  }

  assert {
    condition     = length([for s in jsondecode(output.json).Statement : s if contains(["CodeDeploy", "FindSchedules", "MoveSchedules", "Retire", "TestRuns", "TagTestRuns"], s.Sid)]) == 0
    error_message = "more is allowed than is needed"
  }
}

run "moves_schedules" {
  variables {
    schedules = { role_arns = ["arn:aws:iam::111122223333:role/cluster1-batchapp1-events"] }
  }

  assert {
    condition     = one([for s in jsondecode(output.json).Statement : s.Resource if s.Sid == "PassScheduleRoles"]) == ["arn:aws:iam::111122223333:role/cluster1-batchapp1-events"]
    error_message = "a target that is put back needs its role"
  }
}

run "deregisters" {
  variables {
    deregister = true
  }

  assert {
    condition     = toset([for s in jsondecode(output.json).Statement : s.Sid if contains(["Retire", "FindSchedules", "MoveSchedules"], s.Sid)]) == toset(["Retire", "FindSchedules"])
    error_message = "old task definitions cannot go, or schedules may be moved"
  }
}

run "deploys_by_codedeploy" {
  variables {
    codedeploy = true
  }

  assert {
    condition     = contains(one([for s in jsondecode(output.json).Statement : s.Action if s.Sid == "CodeDeploy"]), "codedeploy:CreateDeployment")
    error_message = "CodeDeploy may not be used"
  }
}

run "refuses_no_cluster" {
  command = plan

  variables {
    cluster_names = []
  }

  expect_failures = [var.cluster_names]
}

run "refuses_to_pass_no_role" {
  command = plan

  variables {
    task_role_arns = []
  }

  expect_failures = [var.task_role_arns]
}
