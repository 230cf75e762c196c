#!/usr/bin/env bash
# Builds llama.cpp once for this machine and prints the folder that holds its libraries and headers.
#
#   scripts/llama.sh [--source DIR] [-DNAME=VALUE...]
#
# The release is pinned, and the build kept outside the tree: llama_build.sh says how.
# --source DIR builds another llama.cpp checkout instead of the pinned one; -D... are switches of llama.cpp's, such as
# -DGGML_CUDA=ON.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/llama_build.sh"

source=
llama_flags+=(-DGGML_OPENMP=ON)
while [ $# -gt 0 ]; do
  case "$1" in
    --source) source=$(cd "$2" && pwd); shift 2 ;;
    -D*=*) llama_flags+=("$1"); shift ;;
    *) echo "llama.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done

llama_open "${BASH_SOURCE[0]}" ""
llama_fetch
llama_compile two llama-common vendor-hash
mkdir -p "$stage/lib" "$stage/include/common"
find "$work/build" -name '*.a' -exec cp {} "$stage/lib/" \;
cp "$source"/include/*.h "$source"/ggml/include/*.h "$source/src/llama-ext.h" "$stage/include/"
(cd "$source/common" && find . -name '*.h' -exec cp --parents {} "$stage/include/common/" \;)
cp -r "$source/vendor/nlohmann" "$source/vendor/sheredom" "$stage/include/"
mkdir -p "$stage/include/hash"
cp "$source/vendor/hash/hash.h" "$stage/include/hash/"
llama_keep
