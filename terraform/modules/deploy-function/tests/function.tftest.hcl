mock_provider "aws" {
  source = "../../mocks"
}

variables {
  repository_name = "deployment"
  cluster_names   = ["cluster1"]
  task_role_arns  = ["arn:aws:iam::111122223333:role/cluster1-batchapp1-task"]
  lambda_zip      = "./versions.tf" # any file: nothing runs here
}

run "answers_codepipeline" {
  assert {
    condition     = toset(one([for s in jsondecode(aws_iam_role_policy.job.policy).Statement : s.Action if s.Sid == "Answer"])) == toset(["codepipeline:GetJobDetails", "codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"])
    error_message = "the pipeline would wait for ever"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.deploy.policy, "service/cluster1/*") && !strcontains(aws_iam_role_policy.deploy.policy, "codedeploy:")
    error_message = "the function may deploy elsewhere"
  }

  assert {
    condition     = output.name == "slipway-deploy" && aws_lambda_function.this.runtime == "provided.al2023"
    error_message = "the function is not ours"
  }
}

run "refuses_an_architecture_that_lambda_lacks" {
  command = plan

  variables {
    architecture = "riscv64"
  }

  expect_failures = [var.architecture]
}

run "refuses_a_zip_that_is_not_there" {
  command = plan

  variables {
    lambda_zip = "./missing.zip"
  }

  expect_failures = [var.lambda_zip]
}
