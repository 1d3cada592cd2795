#!/usr/bin/env bash
# A table with a stream, a bucket, a function, and the mapping that calls the function with the stream's records.
set -euo pipefail
cd "$(dirname "$0")"
bucket=${BUCKET:-points-history}  # bucket names are global on the service: choose your own there
role=${ROLE:-arn:aws:iam::000000000000:role/points}
package=$(mktemp -d)
trap 'rm -r "$package"' EXIT

stream=$(aws dynamodb create-table --table-name points --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=hashid,AttributeType=S --key-schema AttributeName=hashid,KeyType=HASH \
  --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES \
  --query TableDescription.LatestStreamArn --output text)
aws s3 mb "s3://$bucket"
python3 -m zipfile -c "$package/function.zip" handler.py
aws lambda create-function --function-name points-to-bucket --runtime python3.11 --handler handler.lambda_handler \
  --role "$role" --timeout 30 --environment "Variables={BUCKET=$bucket}" --zip-file "fileb://$package/function.zip" \
  --query FunctionArn --output text
aws lambda create-event-source-mapping --function-name points-to-bucket --event-source-arn "$stream" \
  --starting-position TRIM_HORIZON --batch-size 100 --query UUID --output text
