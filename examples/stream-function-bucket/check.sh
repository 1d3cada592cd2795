#!/usr/bin/env bash
# Which versions have no object? Asks again for up to so many seconds (15; or CHECK_S, whatever is said), since objects come a moment after the writes.
set -uo pipefail
end=$((SECONDS + ${CHECK_S:-${1:-15}}))
until found=$(pawl gaps "s3://${BUCKET:-points-history}" --name 'logs/{hashid}-{_version}.log' --table points 2>&1); do
  status=$?
  if [ $SECONDS -ge $end ]; then
    echo "$found"
    exit $status
  fi
  sleep 1
done
echo "$found"
