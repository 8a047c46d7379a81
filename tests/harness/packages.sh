# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# The Debian packages that each command needs.  A second run asks only dpkg, and needs no network.

build_packages=(
  cmake g++ make ninja-build pkg-config
  postgresql-15 postgresql-server-dev-15
  libpqxx-dev libcurl4-openssl-dev libssl-dev libcpp-httplib-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libtoml11-dev
  prometheus-cpp-dev libsodium-dev libicu-dev
  libboost-test-dev postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl postgresql-15-plpgsql-check
  jq curl ca-certificates openssl pgbouncer python3 python3-aiosmtpd
)
bench_packages=(postgresql-15-pgq3)
lint_packages=(clang-format clang-tidy shellcheck)

# Older ones have known holes in row security and in cached plans.
oldest_server=15.19

# "configure" and "--fix-broken" mend what an interrupted installation left; "check" waits for one that still runs
# (dpkg outlives an apt-get that was ended), which dpkg itself would not.
# shellcheck disable=SC2016  # the inner shell expands it
install_command='
  set -e
  export DEBIAN_FRONTEND=noninteractive
  patience="-o DPkg::Lock::Timeout=300"
  apt-get check $patience || true
  dpkg --configure -a
  apt-get update
  apt-get install -y --fix-broken --no-install-recommends $patience "$@"
'

# Prints those of the given packages that are not installed.
list_missing_packages() {
  local package status
  declare -A installed=()
  while read -r package status; do
    [[ $status != installed ]] || installed[$package]=yes
  done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
  for package in "$@"; do
    [[ -n ${installed[$package]:-} ]] || printf '%s\n' "$package"
  done
}

server_is_old() {
  local version
  version=$(dpkg-query -W -f '${Version}' postgresql-15 2>/dev/null) || return 1
  dpkg --compare-versions "$version" lt "$oldest_server"
}

# Prints what to install: what is missing, and the server where it is too old.
list_wanted_packages() {
  list_missing_packages "$@"
  ! server_is_old || printf '%s\n' postgresql-15
}

ensure_packages() {
  local wanted
  mapfile -t wanted < <(list_wanted_packages "$@")
  ((${#wanted[@]} > 0)) || return 0
  ((EUID == 0)) || fail "these Debian packages are missing or old; as root: apt-get install ${wanted[*]}"
  say "installing Debian packages: ${wanted[*]}"
  # One installation on the machine at a time: another checkout may be at it.
  exec 8>/run/crm_bridge-packages.lock
  run_step flock 8
  mapfile -t wanted < <(list_wanted_packages "$@")
  ((${#wanted[@]} == 0)) || run_logged packages bash -c "$install_command" install "${wanted[@]}"
  exec 8>&-
  mapfile -t wanted < <(list_missing_packages "$@")
  ((${#wanted[@]} == 0)) || fail "apt-get did not install: ${wanted[*]}"
  ! server_is_old || complain "PostgreSQL is older than $oldest_server and this machine's sources have no newer one"
}
