# For bash to read, not to run: what scripts/llama.sh and scripts/llama_server.sh have in common. Both build the same
# pinned llama.cpp, and keep what they made outside the tree, in ${XDG_CACHE_HOME:-~/.cache}/assay/llama, under a key of
# version, flags, compiler and the features of this CPU (GGML_NATIVE ties the code to them), so that it is made once
# and never mixed up.
#
# The release lies, as a git bundle, inside an npm package whose sha512 is checked.

llama_package=node-llama-cpp
llama_version=3.22.1
llama_sha512=6e5b488a9b9699cd76dc7eed30880318a4ac4ab866865418795502e3c5d38d55bb5c624988927209d95333343f2e25a83e4183a5c2f816f883a60c3ba9f4e20f

# The switches of both; what is named again behind them wins.
llama_flags=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TESTS=OFF
  -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
  -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DGGML_NATIVE=ON -DGGML_LLAMAFILE=ON)

# llama_open SCRIPT PREFIX-OF-NAME: sets `prefix`, the folder for what SCRIPT makes with `llama_flags` of `source` (empty:
# the pinned release). If it is there already, prints it and ends the script; else nobody else builds until the end.
llama_open() {
  local cpu compiler key home
  cpu=$(grep -m1 -E '^(flags|Features)' /proc/cpuinfo 2>/dev/null || uname -m)
  compiler=$("${CXX:-c++}" --version | head -1)
  if [ -n "$source" ]; then
    what="$source $(git -C "$source" rev-parse HEAD 2>/dev/null || echo unversioned)"
  else
    what="$llama_package $llama_version"
  fi
  # The scripts' own text is part of the key: a change to what is installed makes a new build.
  key=$({ echo "$what" "${llama_flags[@]}" "$compiler" "$cpu"; cat "$1" "${BASH_SOURCE[0]}"; } | sha256sum | cut -c1-16)
  home="${ASSAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/assay}/llama"
  prefix="$home/$2$llama_version-$key"
  mkdir -p "$home"
  if [ -f "$prefix/complete" ]; then echo "$prefix"; exit 0; fi
  exec 9>"$home/$2lock"
  command -v flock >/dev/null && flock 9
  if [ -f "$prefix/complete" ]; then echo "$prefix"; exit 0; fi
  work=$(mktemp -d "$home/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
}

# Fetches the pinned release, unless there is a `source`; sets `source`.
llama_fetch() {
  [ -z "$source" ] || return 0
  local package=$llama_package version=$llama_version
  echo "llama.cpp: fetching $package $version (35 MB)" >&2
  (cd "$work" && npm pack --silent "$package@$version" >/dev/null) || {
    echo "llama.cpp: could not fetch the npm package $package@$version; is there a network? (-DASSAY_LLAMA_DIR=DIR builds a checkout of yours)" >&2; exit 3; }
  echo "$llama_sha512  $work/$package-$version.tgz" | sha512sum --check --quiet >&2 || {
    echo "llama.cpp: $package-$version.tgz is not the file that was pinned (sha512 differs)" >&2; exit 3; }
  tar -xzf "$work/$package-$version.tgz" -C "$work" package/llama/gitRelease.bundle
  git -c advice.detachedHead=false clone --quiet "$work/package/llama/gitRelease.bundle" "$work/source"
  source="$work/source"
}

# llama_compile MINUTES TARGET...: in $work/build.
llama_compile() {
  echo "llama.cpp: building (about $1 minutes on two cores; kept in $prefix)" >&2
  shift
  local launcher=() generator=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  # From a fixed folder name, so that ccache finds what an earlier build at another temporary path compiled.
  export CCACHE_BASEDIR="$work" CCACHE_NOHASHDIR=1
  command -v ninja >/dev/null && generator=(-G Ninja)
  if ! { cmake -S "$source" -B "$work/build" "${generator[@]}" "${llama_flags[@]}" "${launcher[@]}" &&
         cmake --build "$work/build" --target "$@" --parallel "$(nproc)"; } >"$work/log" 2>&1; then
    cp "$work/log" "${prefix%/*}/failed.log"
    tail -40 "$work/log" >&2
    echo "llama.cpp: the build failed; its whole log is ${prefix%/*}/failed.log" >&2
    exit 3
  fi
  stage="$work/stage"
  mkdir -p "$stage"
}

# What lies in $work/stage is complete: puts it at `prefix` and prints that.
llama_keep() {
  cp "$source/LICENSE" "$stage/LICENSE"
  git -C "$source" describe --tags --always >"$stage/commit" 2>/dev/null || echo unknown >"$stage/commit"
  echo "$what" >"$stage/complete"
  rm -rf "$prefix"
  mv "$stage" "$prefix"
  echo "$prefix"
}
