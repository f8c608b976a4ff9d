mock_provider "aws" {
  source = "../../mocks"
}

run "seeds_what_the_pipelines_read" {
  variables {
    branch = "master"
    apps = {
      "cluster1/webapp1" = { webapp1 = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.0.0" }
      "cluster2/webapp1" = { webapp1 = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.0.0", proxy = "envoy:1" }
    }
  }

  assert {
    condition     = jsondecode(output.files["cluster1/webapp1/revision.json"]) == [{ imageUri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.0.0", name = "webapp1" }]
    error_message = "not the image definitions of CodePipeline: ${output.files["cluster1/webapp1/revision.json"]}"
  }

  assert {
    condition     = length(jsondecode(output.files["cluster2/webapp1/revision.json"])) == 2
    error_message = "a container is missing"
  }

  assert {
    condition     = strcontains(output.seed_script, "HEAD:refs/heads/master") && strcontains(output.seed_script, "cluster1/webapp1/revision.json") && !strcontains(output.seed_script, "--force")
    error_message = "the script does not push the files to the branch: ${output.seed_script}"
  }

  assert {
    condition     = output.clone_url_grc == "codecommit::eu-west-1://deployment"
    error_message = output.clone_url_grc
  }
}

run "refuses_an_app_without_a_cluster" {
  command = plan

  variables {
    apps = { webapp1 = { webapp1 = "webapp1:1" } }
  }

  expect_failures = [var.apps]
}

run "refuses_an_app_without_containers" {
  command = plan

  variables {
    apps = { "cluster1/webapp1" = {} }
  }

  expect_failures = [var.apps]
}

run "refuses_what_would_leave_the_quotes" {
  command = plan

  variables {
    apps = { "cluster1/webapp1" = { webapp1 = "webapp1:1'; rm" } }
  }

  expect_failures = [var.apps]
}

run "refuses_a_ref_for_a_branch" {
  command = plan

  variables {
    branch = "@{1}"
  }

  expect_failures = [var.branch]
}
