#!/usr/bin/env bash
# Measures Pawl beside its peers (DynamoDB Local, dynalite) on this machine, in one call: some 16 minutes.
#   bench/run.sh                 every row, three runs each
#   bench/run.sh --quick         every row, one short run: to see that the harness works, not for figures
#   bench/run.sh ROW...          only these rows (bench/run.sh --list names them)
# Prints a table, and writes build/bench/results.json and results.md (to paste into docs/performance.md).
# Run it on a machine that does nothing else. PAWL_BENCH_KEEP=1 keeps the data directories: removing them makes
# creations slow for a minute after.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
# shellcheck source=setup/packages.sh
. setup/packages.sh
# shellcheck source=setup/prepare.sh
. setup/prepare.sh

take_turn
ensure_packages "${packages_build[@]}" "${packages_test[@]}" "${packages_bench[@]}"
ensure_npm
configure build release -DPAWL_TESTS=ON
build build pawl bare_files pawl_scripted_aws
end_turn
exec /usr/bin/python3 bench/main.py "$@"
