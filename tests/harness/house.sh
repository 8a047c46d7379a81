#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Rules of the house that a machine can hold: lists that are complete, a version written once, boundaries in the code.

# shellcheck source=tests/harness/session.sh
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
# shellcheck source=tests/harness/source_tools.sh
source "$harness/source_tools.sh"
cd "$project"

list_entries() { grep -v '^#' "$1" | grep . | sort; }

# Prints "FILE: LINES" for each source that nobody can keep in mind at once.
list_long_sources() {
  local file lines
  while read -r file; do
    lines=$(wc -l <"$file")
    ((lines <= 400)) || printf '%s: %s lines\n' "${file#"$project/"}" "$lines"
  done < <(list_sources cpp hpp sql sh)
}

# Prints the sources whose text matches PATTERN, but for those whose path matches EXCEPT.
list_matches() {
  local pattern=$1 except=$2
  shift 2
  list_sources "$@" | sed "s|^$project/||" | { grep -vE "$except" || true; } | xargs -r -d '\n' grep -HnE "$pattern" || true
}

list_without_last_newline() {
  local file
  while read -r file; do
    [[ ! -s $file || -z $(tail -c 1 "$file") ]] || printf '%s\n' "${file#"$project/"}"
  done < <(list_sources cpp hpp sql sh md txt control list map yml toml)
}

list_files_without() {
  local pattern=$1
  shift
  list_sources "$@" | sed "s|^$project/||" | xargs -r -d '\n' grep -LE "$pattern" || true
}

version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" control/crm_bridge.control)
changelog_version=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
none='^$'

check_equal "extension/sources.list names every source" \
  "$(cd extension && find . -name '*.cpp' | sed 's|^\./||' | sort)" "$(list_entries extension/sources.list)"
check_equal "sql/install.list names every part" \
  "$(cd sql && find . -name '*.sql' -not -path './upgrade/*' | sed 's|^\./||' | sort)" "$(list_entries sql/install.list)"
check_equal "the newest version in CHANGELOG.md is the control file's" "$version" "$changelog_version"
check_equal "the version is written nowhere else" "" \
  "$(list_matches "(^|[^0-9.])${version//./\\.}([^0-9.]|$)" '^(CHANGELOG\.md|control/)' cpp hpp sql sh txt pgxs md control)"
check_equal "a caught backend error is handled in two places only (style 16)" "" \
  "$(list_matches 'catch \((const )?(pg::)?BackendError' '^extension/pg/(boundary|subtransaction)\.|^tests/' cpp hpp)"
check_equal "no PG_TRY beside C++ exceptions (style 18)" "" "$(list_matches '\bPG_(TRY|CATCH|FINALLY)\(' "$none" cpp hpp)"
check_equal "only extension/pg includes server headers" "" \
  "$(list_matches '^#include [<"]((postgres|fmgr|miscadmin|funcapi)|(access|catalog|commands|executor|nodes|utils)/[a-z_]+)\.h[>"]' '^extension/pg/' cpp hpp)"
check_equal "core knows nothing above it" "" \
  "$(list_matches '^#include "(pg|functions|worker)/|^#include <(pqxx|curl)' '^(extension/(pg|functions|[a-z_]+\.)|worker/|tests/)' cpp hpp)"
check_equal "only worker/database names pqxx" "" "$(list_matches '\bpqxx\b' '^(worker/database[._]|tests/)' cpp hpp)"
check_equal "only worker/http/client and worker/mail/smtp name curl" "" \
  "$(list_matches 'curl_easy|curl_multi|<curl/' '^(worker/http/client\.|worker/mail/smtp\.|tests/)' cpp hpp)"
check_equal "no file is named for having no concept" "" \
  "$(list_sources cpp hpp sql sh | grep -E '(utils?|helpers?|common|misc)\.[a-z]+$' | sed "s|^$project/||")"
check_equal "no source is longer than 400 lines" "" "$(list_long_sources)"
check_equal "nothing is left to be done in a comment" "" \
  "$(list_matches '\b(TO''DO|FIX''ME|X''XX)\b' "$none" cpp hpp sql sh txt pgxs)"
check_equal "each source names its licence" "" "$(list_files_without '^(//|--|#) SPDX-License-Identifier: PostgreSQL$' cpp hpp sh)"
check_equal "each header is guarded" "" "$(list_files_without '^#pragma once$' hpp)"
check_equal "text files end with a newline" "" "$(list_without_last_newline)"
check_equal "no space at the end of a line" "" "$(list_matches '[[:blank:]]$' '^tests/isolation/expected/' cpp hpp sql sh txt pgxs)"
check_equal "the install script replaces nothing (CVE-2022-2625)" "" \
  "$(list_matches '(TABLE|INDEX|VIEW|SEQUENCE|TYPE|COLUMN|EXTENSION) IF NOT EXISTS|CREATE SCHEMA' '^(tests/|sql/upgrade/)' sql)"
while read -r script; do
  check "${script#"$project/"} is bash" bash -n "$script"
done < <(list_scripts)
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  check_equal "C++ is formatted (./dev format does it)" "" "$(list_unformatted | sed "s|^$project/||")"
fi
finish
