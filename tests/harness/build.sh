# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Building, and installing the extension into this checkout's own copy of the server.

# One build of a checkout at a time.  The caller holds the lock until release_build.
claim_build() {
  mkdir -p "$logs"
  exec 9>"$state/build.lock"
  flock --nonblock 9 || {
    say "waiting for another build of this checkout"
    run_step flock 9
  }
}

release_build() { exec 9>&-; }

# A copied or moved checkout brings a build folder that knows other paths.
build_folder_is_foreign() {
  local cache=$build/CMakeCache.txt
  [[ -e $cache ]] || return 1
  ! grep -qx "CMAKE_HOME_DIRECTORY:INTERNAL=$project" "$cache" || ! grep -qx "CMAKE_GENERATOR:INTERNAL=Ninja" "$cache"
}

# One configuration for demo and test, so that the second of them has nothing to compile.
build_project() {
  local anew=()
  ! build_folder_is_foreign || anew=(--fresh)
  run_logged configure cmake "${anew[@]}" -S "$project" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    "-DCRM_BRIDGE_WERROR=$([[ $CRM_BRIDGE_SANITIZE == ON ]] && echo OFF || echo ON)" "-DCRM_BRIDGE_SANITIZE=${CRM_BRIDGE_SANITIZE:-OFF}" "-DPG_CONFIG=$installed_server/bin/pg_config" -Wno-dev
  run_logged build ninja -C "$build" -j "$(nproc)"
}

# Copies Debian's server.  PostgreSQL looks for its folders beside the program that runs, so the copy uses its own
# libraries and extensions; libraries and shared files that the package brings are links.
copy_server() {
  local fresh=$state/server.$$
  # Links would lead PostgreSQL back to the installed folders.
  [[ ! -L $server/bin/postgres ]] && cmp -s "$installed_server/bin/postgres" "$server/bin/postgres" && return 0
  mkdir -p "$fresh$installed_server" "$fresh/usr/share/postgresql"
  cp -a "$installed_server/bin" "$fresh$installed_server/bin"
  cp -as "$installed_server/lib" "$fresh$installed_server/lib"
  cp -as "/usr/share/postgresql/15" "$fresh/usr/share/postgresql/15"
  rm -rf "$state/server"
  mv "$fresh" "$state/server"
}

# A package of extensions that arrived after the copy was made.
link_new_extensions() {
  cp -asn "$installed_server/lib/." "$server/lib/"
  cp -asn "/usr/share/postgresql/15/." "$state/server/usr/share/postgresql/15/"
}

install_extension() {
  copy_server
  link_new_extensions
  DESTDIR=$state/server cmake --install "$build" >"$logs/install.log"
}

# What every command that runs something does first.
prepare() {
  ensure_packages "${build_packages[@]}"
  claim_build
  build_project
  install_extension
  release_build
}
