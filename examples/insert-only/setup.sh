#!/usr/bin/env bash
# One table: the partition key is the page, the sort key the version, so a page's versions lie together, in order.
set -euo pipefail
aws dynamodb create-table --table-name edits --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=page,AttributeType=S AttributeName=version,AttributeType=N \
  --key-schema AttributeName=page,KeyType=HASH AttributeName=version,KeyType=RANGE \
  --query TableDescription.TableName --output text
