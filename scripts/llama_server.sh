#!/usr/bin/env bash
# Builds llama-server from the very source that assay is linked with, once for this machine, and prints the folder that
# holds it. For bench/local_grid.py alone; assay itself needs no server.
#
#   scripts/llama_server.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/llama_build.sh"
[ $# -eq 0 ] || { echo "llama_server.sh: unknown option '$1'" >&2; exit 2; }

source=
llama_flags+=(-DGGML_OPENMP=ON -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON)
llama_open "${BASH_SOURCE[0]}" server-
llama_fetch
llama_compile four llama-server
cp "$work/build/bin/llama-server" "$stage/"
llama_keep
