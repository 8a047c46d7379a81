#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# ./dev torture: runs tortures by name, each in a scene of its own; "--reduced" all in one scene with few rounds, for ./dev test.

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
torture_folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/torture/scene.sh
source "$torture_folder/scene.sh"
# shellcheck source=tests/torture/checker.sh
source "$torture_folder/checker.sh"

reduced=''
wanted_rounds=''
seed=$((${EPOCHREALTIME/./} % 1000000))
data=''
names=()

list_tortures() {
  local file
  for file in "$torture_folder"/*.sh; do
    grep -q '^torture()' "$file" || continue
    printf '  %-12s %s\n' "$(basename "$file" .sh)" "$(sed -n 's/^# About: //p' "$file")"
  done
}

while (($# > 0)); do
  case $1 in
    --reduced) reduced=yes ;;
    --rounds) wanted_rounds=$2 && shift ;;
    --seed) seed=$2 && shift ;;
    --data) data=$2 && shift ;;
    -*) fail "unknown option $1" ;;
    *) names+=("$1") ;;
  esac
  shift
done
if ((${#names[@]} == 0)); then
  list_tortures
  exit 0
fi
if [[ ${names[*]} == all ]]; then mapfile -t names < <(list_tortures | awk '{ print $1 }'); fi
for name in "${names[@]}"; do
  [[ -f $torture_folder/$name.sh ]] && grep -q '^torture()' "$torture_folder/$name.sh" || fail "there is no torture \"$name\""
done

close_session_at_exit
mkdir -p "$logs/torture"
tortures_failed=0
for name in "${names[@]}"; do
  unset -f torture
  rounds=1 reduced_rounds=1
  # shellcheck source=/dev/null
  source "$torture_folder/$name.sh"
  [[ -z $reduced ]] || rounds=$reduced_rounds
  rounds=${wanted_rounds:-$rounds}
  [[ -n $SESSION ]] || open_scene
  seed_state=$((seed + 1))
  slowest_resumption=0
  : >"$SESSION/ledger"
  begin=$SECONDS
  # A torture that failed must not fail the next one.
  if torture "$rounds" >"$logs/torture/$name.out" 2>"$logs/torture/$name.err"; then verdict=ok; else verdict='not ok'; fi
  sed -E "s/^(T[0-9])/${reduced:+$verdict - }\1/" "$logs/torture/$name.out"
  if [[ $verdict != ok ]]; then
    grep -qE '^T[0-9]' "$logs/torture/$name.out" || printf 'not ok - %s ended before its end\n' "$name"
    tail -n 5 "$logs/torture/$name.err" | sed 's/^/# /'
    tortures_failed=$((tortures_failed + 1))
  fi
  printf '# %s: %d s\n' "$name" $((SECONDS - begin))
  if [[ -z $reduced || $verdict != ok ]]; then close_session; fi
done
[[ -n $reduced ]] || printf '%d passed, %d failed\n' $((${#names[@]} - tortures_failed)) "$tortures_failed"
exit $((tortures_failed > 0))
