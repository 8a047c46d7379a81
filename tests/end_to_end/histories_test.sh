#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Random histories of two people, two services and a network against the extension (B1, B2, B9), reduced; all of them: ./dev torture histories.

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
close_session_at_exit
open_session
start_cluster
create_database histories

promise="B1 B2 B9: random histories end as their model, nothing typed is lost, no echo is sent"
if outcome=$("$build/tests/convergence/crm_bridge_histories" --histories "${HISTORIES:-402}" --wave 134 --rounds 16 --seed "${SEED:-1}"); then
  pass "$promise"
  printf '# %s\n' "$outcome"
else
  flunk "$promise" "$outcome"
fi
finish
