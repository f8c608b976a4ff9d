locals {
  # The article's names, which the trigger knows too.
  names = { for key, p in var.pipelines : key => "${var.repository_name}-${var.branch}-${p.cluster_name}-${p.app_name}" }

  # What the deploy action is given, by the provider that it is of. CodePipeline
  # refuses empty values: what is not set is not there.
  configuration = { for key, p in var.pipelines : key => tomap({
    ECS = merge(
      {
        ClusterName = p.cluster_name
        ServiceName = coalesce(p.service_name, p.app_name)
        FileName    = "${p.cluster_name}/${p.app_name}/revision.json"
      },
      p.deployment_timeout == null ? {} : { DeploymentTimeout = tostring(p.deployment_timeout) },
    )

    Lambda = {
      FunctionName = var.deploy_function_name
      UserParameters = jsonencode({
        repository = var.repository_name
        cluster    = p.cluster_name
        app        = p.app_name
        commit     = "#{SourceVariables.CommitId}"
        pipeline   = local.names[key]
        execution  = "#{codepipeline.PipelineExecutionId}"
      })
    }

    CodeDeployToECS = p.codedeploy == null ? {} : {
      ApplicationName                = p.codedeploy.application_name
      DeploymentGroupName            = p.codedeploy.deployment_group_name
      AppSpecTemplateArtifact        = "source_output"
      AppSpecTemplatePath            = coalesce(p.codedeploy.app_spec_path, "${p.cluster_name}/${p.app_name}/appspec.yaml")
      TaskDefinitionTemplateArtifact = "source_output"
      TaskDefinitionTemplatePath     = coalesce(p.codedeploy.task_definition_path, "${p.cluster_name}/${p.app_name}/taskdef.json")
    }
  })[p.action] }

  # CodePipeline's category, owner and version of each.
  category = { ECS = "Deploy", CodeDeployToECS = "Deploy", Lambda = "Invoke" }
}

resource "aws_codepipeline" "this" {
  for_each = var.pipelines

  name           = local.names[each.key]
  role_arn       = aws_iam_role.this.arn
  pipeline_type  = "V2"
  execution_mode = each.value.execution_mode
  tags           = var.tags

  artifact_store {
    type     = "S3"
    location = var.artifact_bucket

    dynamic "encryption_key" {
      for_each = var.artifact_kms_key_arn == null ? [] : [var.artifact_kms_key_arn]

      content {
        type = "KMS"
        id   = encryption_key.value
      }
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeCommit"
      version          = "1"
      namespace        = "SourceVariables"
      output_artifacts = ["source_output"]

      configuration = {
        RepositoryName = var.repository_name
        BranchName     = var.branch
        # The trigger starts the pipelines whose file changed, and no others.
        PollForSourceChanges = "false"
      }
    }
  }

  dynamic "stage" {
    for_each = each.value.approval == null ? [] : [each.value.approval]

    content {
      name = "Approval"

      action {
        name     = "Approval"
        category = "Approval"
        owner    = "AWS"
        provider = "Manual"
        version  = "1"

        configuration = { for name, value in {
          NotificationArn    = stage.value.notification_arn
          CustomData         = stage.value.comment
          ExternalEntityLink = stage.value.link
        } : name => value if value != null }
      }
    }
  }

  stage {
    name = "Deploy"

    action {
      name            = "Deploy"
      category        = local.category[each.value.action]
      owner           = "AWS"
      provider        = each.value.action
      version         = "1"
      input_artifacts = ["source_output"]
      configuration   = local.configuration[each.key]
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.names[each.key]) <= 100
      error_message = "A pipeline's name has 100 characters at most: ${local.names[each.key]}."
    }
  }

  depends_on = [aws_iam_role_policy.this]
}
