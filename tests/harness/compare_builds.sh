#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Both builds must give the same extension: same files, same script, same symbols, and none that could meet another
# extension's (the server loads modules with global visibility).  Expects the CMake build to be done.

# shellcheck source=tests/harness/session.sh
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compiler=g++
! command -v ccache >/dev/null || compiler='ccache g++'
make -C "$project" -f Makefile.pgxs -j "$(nproc)" --no-print-directory CXX="$compiler" \
  PG_CONFIG="$installed_server/bin/pg_config" DESTDIR="$scratch/pgxs" install
DESTDIR=$scratch/cmake cmake --install "$build"

# The worker is CMake's alone.
list_extension_files() { (cd "$scratch/$1" && find . -type f \( -path '*/postgresql/*' -name 'crm_bridge*' -o -name '*.bc' \) | sort); }

list_symbols() { nm -D --defined-only "$scratch/$1$installed_server/lib/crm_bridge.so" | awk '{ print $2, $3 }' | sort; }

same_content() { cmp "$scratch/pgxs/$1" "$scratch/cmake/$1"; }

check_equal "both builds install the same files" "$(list_extension_files cmake)" "$(list_extension_files pgxs)"
for file in $(list_extension_files cmake | grep -E '\.(sql|control)$'); do
  check "both builds install the same $(basename "$file")" same_content "$file"
done
check_equal "both modules export the same symbols" "$(list_symbols cmake)" "$(list_symbols pgxs)"
strangers=$(list_symbols cmake | grep -vE ' (crm_bridge_[a-z0-9_]+|pg_finfo_crm_bridge_[a-z0-9_]+|Pg_magic_func|_PG_init)$' || true)
check_equal "the module exports nothing but its SQL functions" "" "$strangers"
check_equal "the module is one that PostgreSQL loads" "T Pg_magic_func" "$(list_symbols cmake | grep Pg_magic_func)"
finish
