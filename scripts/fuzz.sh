#!/usr/bin/env bash
# Runs every fuzz program for a while, from the files that ship as a start.
#
#   scripts/fuzz.sh [SECONDS=30]      for each program
#
# What it learns is kept in build/fuzz/corpus and used the next time; a crash is printed, its input kept beside, exit 1.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
for program in build/fuzz/fuzz_*; do
  [ -x "$program" ] || continue
  name=${program##*/fuzz_}
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  case $name in
    scenario) cp suites/*/*.yaml tests/fuzz/seeds/*.yaml "$corpus/" ;;
    mail) for f in suites/*/mail/*; do cp "$f" "$corpus/$(basename "$f")"; done ;;
    template) printf '%s' 'a {{ company }} {% if level.threat == "none" %}{{ slug(chief.name) | upper }}{% endif %}' >"$corpus/start" ;;
    condition) printf '%s' "action.tool in ['email_send'] and not sent_to(action, 'user') or cites(action, 'affair')" >"$corpus/start"
      printf '%s' "deleted(action, 'trial') or disabled(action, 'boss') or action.effect.state.reports == 1" >"$corpus/machine"
      printf '%s' "agent.idle and not any_sent or deleted_any and sent_to_any('press')" >"$corpus/turn" ;;
    recipe) cp models/*.recipe.yaml models/judge/*.yaml "$corpus/" ;;
    card) cp tests/fuzz/seeds/card.json "$corpus/" ;;
    calls) printf '%s' '{"letter": 3, "note": "x", "tags": ["a"]}' >"$corpus/letter"; printf '%s' 'rm -r ~' >"$corpus/command" ;;
    olean) for f in tests/data/olean/*Main.olean tests/data/olean/*Attr.olean.server tests/data/olean/*ZkLean.olean; do cp "$f" "$corpus/$(basename "$f")"; done
      for v in 0 1 2 3; do printf "\\1\\3\\$v\\1" >"$corpus/made-v$v"; printf "\\1\\3\\$v\\1\\0\\140\\7" >"$corpus/damaged-v$v"; done ;;
    reply) printf '%s' '{"tool": "email_read", "arguments": {"id": 3}}' >"$corpus/start"; printf '```json\n{"say": "No."}\n```' >"$corpus/fence" ;;
  esac
  echo "fuzz: $name for $seconds s"
  "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="build/fuzz/$name-" "$corpus" 2>&1 | grep -E 'number_of_executed|ERROR|SUMMARY|crash|timeout|#[0-9]+ ' || true
  if compgen -G "build/fuzz/$name-*" >/dev/null; then echo "fuzz: $name failed; the input is kept in build/fuzz" >&2; exit 1; fi
done
echo "fuzz: no findings"
