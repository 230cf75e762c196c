#!/usr/bin/env bash
# clang-tidy over src/: the sources changed since HEAD (new ones too), or all of them.
#
#   scripts/tidy.sh [--all | FILE.cpp...]
#
# A changed header is checked through the sources that include it. .clang-tidy says what is looked for; any finding fails.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset dev >/dev/null  # writes build/dev/compile_commands.json

sources() { git ls-files --cached --others --exclude-standard -- 'src/*.cpp'; }
if [ "${1:-}" = --all ]; then
  mapfile -t files < <(sources)
elif [ $# -gt 0 ]; then
  files=("$@")
else
  changed=$({ git diff --name-only HEAD -- src; git ls-files --others --exclude-standard -- src; } | sort -u)
  mapfile -t files < <({
    grep '\.cpp$' <<<"$changed" || true
    for header in $(grep '\.h$' <<<"$changed" || true); do
      sources | xargs -r grep -lF "#include \"${header#src/}\"" || true
    done
  } | sort -u)
fi
existing=()
for file in "${files[@]}"; do
  [ -f "$file" ] && existing+=("$file")
done
if [ ${#existing[@]} -eq 0 ]; then
  echo "tidy: nothing changed since HEAD; --all checks everything"
  exit 0
fi

echo "tidy: ${#existing[@]} files"
printf '%s\0' "${existing[@]}" | xargs -0 -P "$(nproc)" -n 1 clang-tidy-19 -p build/dev --quiet
echo "tidy: no findings"
