#!/usr/bin/env bash
# The article's night. Nobody may call the function; versions 3 and 4 of A000001 are written; then everything is well again.
set -euo pipefail
cd "$(dirname "$0")"
aws lambda put-function-concurrency --function-name points-to-bucket --reserved-concurrent-executions 0
python3 client.py 1 2
sleep "${NIGHT_S:-30}"  # with --time-scale 4320 a day and a half
aws lambda delete-function-concurrency --function-name points-to-bucket
python3 client.py 1 1
./check.sh 10
