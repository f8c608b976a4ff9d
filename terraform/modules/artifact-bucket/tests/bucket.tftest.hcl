mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "slipway-artifacts"
}

run "keeps_artifacts_to_itself" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "the bucket can be made public"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "the bucket can be read without TLS"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Resource == ["arn:aws:s3:::slipway-artifacts", "arn:aws:s3:::slipway-artifacts/*"]
    error_message = "TLS is not asked for the bucket and for its objects"
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "CodePipeline needs versions"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "artifacts are not encrypted"
  }
}

run "encrypts_with_a_key" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000001"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "the key is not used"
  }

  assert {
    condition     = output.kms_key_arn == var.kms_key_arn
    error_message = "the pipelines would not learn of the key"
  }
}

run "refuses_a_name_that_S3_refuses" {
  command = plan

  variables {
    name = "Slipway_Artifacts"
  }

  expect_failures = [var.name]
}

run "refuses_to_expire_at_once" {
  command = plan

  variables {
    expiration_days = 0
  }

  expect_failures = [var.expiration_days]
}
