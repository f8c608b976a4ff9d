data "aws_region" "current" {}

# No default_branch: before the first push there is no branch, and the provider
# would plan to set it again and again. The first branch pushed becomes it.
resource "aws_codecommit_repository" "this" {
  repository_name = var.name
  description     = var.description
  kms_key_id      = var.kms_key_arn
  tags            = var.tags
}

locals {
  files = {
    for app, images in var.apps : "${app}/revision.json" => "[\n${join(",\n", [
      for container, image in images : "  {\"name\": ${jsonencode(container)}, \"imageUri\": ${jsonencode(image)}}"
    ])}\n]\n"
  }

  # Nothing in here comes from outside of the validated variables, so the single
  # quotes of the shell hold.
  write = join("\n", [
    for path, content in local.files : "mkdir -p '${dirname(path)}' && cat >'${path}' <<'EOF'\n${content}EOF"
  ])
}
