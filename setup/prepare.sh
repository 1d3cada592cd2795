# shellcheck shell=bash
# Shared by ./run, ./test and bench/run.sh: installs Debian packages and builds, showing how far it is.
# Sourced with the working directory at the top of the tree. Logs go to build/logs/.
# The only state kept is the build directory, which ./run and ./test share: both configure the preset
# `release`, and PAWL_TESTS adds targets without changing the flags of anything else.

log_dir=build/logs
colour_on=0
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then colour_on=1; fi

paint() {  # paint CODE TEXT...: TEXT in an SGR colour where colour is wanted
  local code=$1
  shift
  if ((colour_on)); then printf '\033[%sm%s\033[0m' "$code" "$*"; else printf '%s' "$*"; fi
}

say() { printf '%s %s\n' "$(paint 36 pawl:)" "$*"; }

die() {  # die WHAT [LOG]: the last lines of LOG, then what went wrong and where to read on
  [[ -t 1 ]] && printf '\r\033[K'
  if [[ -n ${2:-} && -s $2 ]]; then
    printf -- '--- last lines of %s\n' "$2" >&2
    tail -n 25 "$2" | cut -c-400 >&2
    printf -- '---\n' >&2
  fi
  printf '%s %s\n' "$(paint '1;31' 'pawl: error:')" "$1" >&2
  if [[ -n ${2:-} ]]; then printf '      the whole log: %s\n' "$2" >&2; fi
  exit 2
}

# show_progress WHAT: reads "PERCENT TEXT" lines. On a terminal it keeps one line up to date; elsewhere it
# prints a line at each tenth, so that a log shows movement and stays short.
show_progress() {
  local what=$1 percent text last=-1 width
  width=$(tput cols 2>/dev/null || echo 80)
  while read -r percent text; do
    [[ $percent =~ ^[0-9]+$ ]] || continue
    if [[ -t 1 ]]; then
      printf '\r\033[K%s' "$(printf 'pawl: %s %3d%% %s' "$what" "$percent" "$text" | cut -c-$((width - 1)))"
    elif ((percent / 10 > last)); then
      last=$((percent / 10))
      printf 'pawl: %s %3d%%\n' "$what" "$percent"
    fi
  done
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

missing_packages() {  # prints the packages of its arguments that are not installed
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

apt_percent() {  # apt's status lines in; "PERCENT TEXT" out: fetching is the first half, unpacking the second
  local kind percent text
  while IFS=: read -r kind _ percent text; do
    case $kind in
      dlstatus) echo "$((${percent%%.*} / 2)) $text" ;;
      pmstatus) echo "$((50 + ${percent%%.*} / 2)) $text" ;;
    esac
  done
}

# ensure_packages PACKAGE...: installs what is missing; asks neither apt nor the network when nothing is.
ensure_packages() {
  local missing log=$log_dir/apt.log
  command -v dpkg-query >/dev/null ||
    die "this is not a Debian system (no dpkg-query). Install the equivalents of: $*"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "these packages are missing; install them as root, then start again: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages (once): ${missing[*]}"
  apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 \
      -o APT::Status-Fd=3 "$@" 3>&1 >>"$log" 2>&1 </dev/null | apt_percent
  }
  : >"$log"
  set -o pipefail
  apt_get update | show_progress 'reading package lists' ||
    die 'apt-get update failed: is the network up, and is /etc/apt/sources.list right?' "$log"
  apt_get install --no-install-recommends "${missing[@]}" | show_progress installing ||
    die "apt-get could not install: ${missing[*]}" "$log"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || die "still missing after apt-get install: ${missing[*]}" "$log"
}

build_jobs() {  # one job a core, fewer where memory is short: a Beast or RocksDB file needs about 1.2 GB
  local cores memory_gb
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ {print int($2 / 1200000)}' /proc/meminfo)
  if ((memory_gb < 1)); then memory_gb=1; fi
  echo $((cores < memory_gb ? cores : memory_gb))
}

# configure DIRECTORY PRESET [-DNAME=VALUE...]: only when the directory isn't configured so already.
configure() {
  local dir=$1 preset=$2 log=$log_dir/$1-configure.log option
  shift 2
  local needed=0
  [[ -f $dir/build.ninja ]] || needed=1
  for option in "$@"; do
    [[ $option =~ ^-D([A-Z_]+)=(.*)$ ]] || die "configure: not an option: $option"
    grep -qsE "^${BASH_REMATCH[1]}:[A-Z]+=${BASH_REMATCH[2]}\$" "$dir/CMakeCache.txt" || needed=1
  done
  ((needed)) || return 0
  cmake --preset "$preset" "$@" >"$log" 2>&1 || die "cmake could not configure $dir (if the tree was moved: rm -r $dir)" "$log"
}

# build DIRECTORY TARGET...: with a progress line; says nothing where there is nothing to do.
build() {
  local dir=$1 log=$log_dir/$1-build.log started=$SECONDS
  shift
  : >"$log"
  set -o pipefail
  NINJA_STATUS='@%p %f/%t ' ninja -C "$dir" -j "$(build_jobs)" "$@" 2>&1 | tee "$log" |
    stdbuf -oL sed -nE 's/^@ *([0-9]+)% ([0-9]+\/[0-9]+) (Building CXX object )?(.*)$/\1 \2 \4/p' |
    show_progress building ||
    die "the build failed" "$log"
  if ((SECONDS - started > 2)); then say "built $dir in $((SECONDS - started)) s"; fi
}

# One at a time in this tree: two ninjas in one directory spoil each other. Released by the exec at the end.
take_turn() {
  mkdir -p "$log_dir"
  exec 9>build/.turn
  if ! flock -n 9; then
    say 'waiting for another ./run or ./test in this tree to finish its build'
    flock 9
  fi
}
end_turn() { exec 9>&-; }

# npm comes with other builds of Node.js than Debian's, so the command counts and not the package.
ensure_npm() {
  local packages=()
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
  ((${#packages[@]} == 0)) || ensure_packages "${packages[@]}"
}
