# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: B1 B2 B9: random histories of two faces, two services and the network against a model (./dev test has 402 of them)
rounds=10000
reduced_rounds=0

# In a database of its own, in which the worker of the scene has no part.
torture() (
  create_database histories >/dev/null
  outcome=$("$build/tests/convergence/crm_bridge_histories" --histories "$1" --seed "$seed") && verdict=PASS || verdict=FAIL
  printf '%s\n' "$outcome" | grep -v '^histories=' || true
  printf 'T44 %s\n' "$(grep '^histories=' <<<"$outcome" || printf 'seed=%s FAIL' "$seed")"
  "$server/bin/dropdb" --force histories
  [[ $verdict == PASS ]]
)
