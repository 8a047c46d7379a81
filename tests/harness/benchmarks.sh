# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# ./dev bench: a benchmark NAME is tests/bench/NAME_bench.sh, or the program built of tests/bench/NAME_bench.cpp.  A
# script gets a session with a server configured as one that matters, and the peers at hand: PgQ from Debian,
# graphile-worker and pg-boss from npm (in BENCH_NODE_MODULES).

npm_peers=(graphile-worker@0.16 pg-boss@10)
bench_folder=$project/tests/bench

install_npm_peers() {
  local folder=$state/npm
  export BENCH_NODE_MODULES=$folder/node_modules
  [[ "$(cat "$folder/installed" 2>/dev/null)" != "${npm_peers[*]}" ]] || return 0
  mkdir -p "$folder"
  run_logged npm npm install --prefix "$folder" --no-audit --no-fund "${npm_peers[@]}"
  printf '%s\n' "${npm_peers[*]}" >"$folder/installed"
}

list_benchmarks() {
  [[ -d $bench_folder ]] || return 0
  find "$bench_folder" -maxdepth 1 \( -name '*_bench.sh' -o -name '*_bench.cpp' \) -printf '%f\n' | sed 's/_bench\.[a-z]*$//' | sort -u
}

# The disk is flushed as on a server that matters, but no commit waits for it, and neither a checkpoint nor autovacuum
# falls into some rounds and not into others: what is left to compare is the CPU.  The same for every side.
configure_server_for_measuring() {
  as_server_user tee -a "$SESSION/cluster/data/postgresql.conf" >/dev/null <<SETTINGS
synchronous_commit = off
shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 1h
autovacuum = off
SETTINGS
  stop_server
  start_server
}

run_bench_script() {
  local status=0
  open_session
  start_cluster durable
  configure_server_for_measuring
  create_database bench
  run_step bash "$bench_folder/$1_bench.sh" || status=$?
  close_session
  return "$status"
}

run_benchmarks() {
  local names=("$@") name packages=("${build_packages[@]}") scripts=0 status=0
  ((${#names[@]} > 0)) || mapfile -t names < <(list_benchmarks)
  for name in "${names[@]}"; do
    grep -qxF "$name" <(list_benchmarks) || refuse "there is no benchmark \"$name\"; benchmarks: $(list_benchmarks | paste -sd ' ')"
    [[ ! -e $bench_folder/${name}_bench.sh ]] || scripts=$((scripts + 1))
  done
  ((scripts == 0)) || packages+=("${bench_packages[@]}")
  # npm may have come with a Node.js that is not Debian's.
  ((scripts == 0)) || command -v npm >/dev/null || packages+=(npm)
  ensure_packages "${packages[@]}"
  prepare
  ((scripts == 0)) || install_npm_peers
  close_abandoned_sessions
  for name in "${names[@]}"; do
    say "== $name"
    if [[ -e $bench_folder/${name}_bench.sh ]]; then
      run_bench_script "$name" || status=1
    else
      run_step "$build/tests/bench/crm_bridge_${name}_bench" || status=1
    fi
  done
  return "$status"
}
