#!/usr/bin/env bash
# Answers Terraform's external data source with the image that the deployment
# repository says an application runs, by means of the AWS CLI alone.
set -euo pipefail

query=$(cat)
cluster=$(jq -er .cluster_name <<<"$query")
app=$(jq -er .app_name <<<"$query")

aws codecommit get-file --repository-name deployment --commit-specifier master --file-path "$cluster/$app/revision.json" |
  jq -er .fileContent | base64 --decode |
  jq -e --arg app "$app" '.[] | select(.name == $app) | {imageUri}'
