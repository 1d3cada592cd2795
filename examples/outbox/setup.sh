#!/usr/bin/env bash
# The table of what is now, the table of what was, and a bucket for the copy. No stream, no function.
set -euo pipefail
aws dynamodb create-table --table-name hearts --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=patient,AttributeType=S --key-schema AttributeName=patient,KeyType=HASH \
  --query TableDescription.TableName --output text
aws dynamodb create-table --table-name hearts-history --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=patient,AttributeType=S AttributeName=version,AttributeType=N \
  --key-schema AttributeName=patient,KeyType=HASH AttributeName=version,KeyType=RANGE \
  --query TableDescription.TableName --output text
aws s3 mb "s3://${BUCKET:-hearts-history}"
