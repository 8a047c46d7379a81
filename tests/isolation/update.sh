# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# For specs/extension_update.spec: update scripts to a version "again" and back.  There is one release so far, and no sql/upgrade/ yet; these hold what
# every update will: the repeatable part of sql/api/ (see sql/README.md), and a change of a table.

# Writes them beside the install script of the session's server.
write_update_scripts() {
  local folder version part parts=()
  folder=$("$server/bin/pg_config" --sharedir)/extension
  version=$(sed -n "s/^default_version = '\(.*\)'$/\1/p" "$project/control/crm_bridge.control")
  while read -r part; do
    # Parts with views, triggers and the like cannot be said twice.
    grep -qE '^(CREATE (VIEW|TRIGGER|FUNCTION|TABLE)|DO |ALTER )' "$project/sql/$part" || parts+=("$project/sql/$part")
  done < <(grep '^api/' "$project/sql/install.list")
  { cat "${parts[@]}" && printf 'ALTER TABLE crm_bridge.crm_task ADD COLUMN of_the_update text;\n'; } >"$folder/crm_bridge--$version--again.sql"
  { cat "${parts[@]}" && printf 'ALTER TABLE crm_bridge.crm_task DROP COLUMN of_the_update;\n'; } >"$folder/crm_bridge--again--$version.sql"
}
