output "name" {
  description = "Name of the repository."
  value       = aws_codecommit_repository.this.repository_name
}

output "arn" {
  description = "ARN of the repository."
  value       = aws_codecommit_repository.this.arn
}

output "branch" {
  description = "Branch that is deployed."
  value       = var.branch
}

output "clone_url_http" {
  description = "URL for git over HTTPS."
  value       = aws_codecommit_repository.this.clone_url_http
}

output "clone_url_grc" {
  description = "URL for git-remote-codecommit, which signs with the AWS credentials at hand."
  value       = "codecommit::${data.aws_region.current.name}://${aws_codecommit_repository.this.repository_name}"
}

output "files" {
  description = "What the repository holds at first: the content of each `revision.json` by its path."
  value       = local.files
}

output "seed_script" {
  description = "A shell script that pushes `files` as the branch's first commit, with the git that you have: `terraform output -raw seed_script | sh`. An argument is another URL than `clone_url_http`. A branch that is there already is left alone: git refuses the push."
  value       = <<-EOT
    set -eu
    url=$${1:-${aws_codecommit_repository.this.clone_url_http}}
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    cd "$dir"
    git init -q
    git symbolic-ref HEAD 'refs/heads/${var.branch}'
    ${local.write}
    git add .
    git commit -q -m 'Begin with what runs'
    git push -q "$url" 'HEAD:refs/heads/${var.branch}'
  EOT
}
