# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Formatter and linters.  One version of clang-format counts (Debian 12's 14): another would format differently.

# Prints the project's own files with one of the given endings, without what is built or belongs to git.
list_sources() {
  local ending names=()
  for ending in "$@"; do
    names+=(-o -name "*.$ending")
  done
  find "$project" \( -name .git -o -path "$project/build" -o -path "$project/build-*" -o -name node_modules \) -prune \
    -o -type f \( "${names[@]:1}" \) -print | sort
}

list_scripts() {
  printf '%s\n' "$project/dev" "$project/.ci/run"
  list_sources sh
}

list_unformatted() {
  list_sources cpp hpp | { xargs -r -d '\n' clang-format --dry-run -Werror 2>&1 || true; } |
    sed -nE 's/^(.*):[0-9]+:[0-9]+: error: code should be clang-formatted.*/\1/p' | sort -u
}

format_sources() {
  ensure_packages "${lint_packages[@]}"
  list_sources cpp hpp | xargs -r -d '\n' clang-format -i
}

# All of the project, or the given C++ files.
lint_sources() {
  local files=() status=0
  ensure_packages "${build_packages[@]}" "${lint_packages[@]}"
  claim_build
  build_project
  release_build
  if (($# > 0)); then
    mapfile -t files < <(realpath "$@")
  else
    say "formatting"
    list_unformatted | sed 's/^/not formatted: /' | grep . && status=1
    say "shell scripts"
    list_scripts | xargs -d '\n' shellcheck --external-sources --source-path="$project" || status=1
    mapfile -t files < <(jq --raw-output '.[].file' "$build/compile_commands.json" | grep '\.cpp$' | sort -u)
  fi
  say "clang-tidy: ${#files[@]} files"
  printf '%s\n' "${files[@]}" | xargs -d '\n' -n 1 -P "$(nproc)" clang-tidy -p "$build" --quiet || status=1
  ((status == 0)) && say "nothing to complain about"
  return "$status"
}
