#!/usr/bin/env bash
# Stalls the line from table to bucket as a dead shard would: `stall.sh on` and `stall.sh off`.
set -euo pipefail
case ${1:-} in
  on) aws lambda put-function-concurrency --function-name purchases-to-bucket --reserved-concurrent-executions 0 ;;
  off) aws lambda delete-function-concurrency --function-name purchases-to-bucket ;;
  *) echo "usage: $0 on|off" >&2; exit 2 ;;
esac
