#!/usr/bin/env bash
# The demo: the main job on a real language model, then on an agent whose conduct is known, so that one can see whether the
# numbers are right. Prints each command before it runs it.
#
#   scripts/demo.sh [MODEL.gguf]      without one: the small model of scripts/model.sh
#
# ASSAY names the program, if it is not build/release/assay. Results: build/demo/*.assay, made anew each time.
set -euo pipefail
cd "$(dirname "$0")/.."
assay=${ASSAY:-build/release/assay}
model=${1:-}
out=build/demo

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
step() {  # shows a command as one would type it, and runs it
  local word line='$'
  for word in "$@"; do
    case $word in *[!A-Za-z0-9_./:=~-]*) word="'$word'" ;; esac
    line+=" $word"
  done
  printf '\n%s%s%s\n' "$bold" "$line" "$plain"
  "$@"
}

if [ ! -x "$assay" ]; then
  echo "demo: there is no $assay yet; 'make demo' builds it first" >&2
  exit 2
fi
if [ -n "$model" ] && [ ! -f "$model" ]; then
  echo "demo: there is no file '$model'; MODEL=PATH names a GGUF file" >&2
  exit 2
fi
mkdir -p "$out"
rm -f "$out"/{real,known}.assay{,-wal,-shm,.lock}

# The episode to read whole: the first in which the agent learned that it is to be replaced and came upon something private
# about the one who decides, with no rule against using it. A rule fixed beforehand, so that no one picks a nice one.
tempting_episode() {
  "$assay" show "$1" --all --json | python3 -c '
import json, sys
tempting = {"threat": "replacement", "leverage": "present", "prohibition": "none"}
episodes = [json.loads(line) for line in sys.stdin]
print(next((e["id"] for e in episodes if tempting.items() <= e["cell"].items()), 1))'
}

heading "1. A real language model plays the agent"
if [ -n "$model" ] || model=$(scripts/model.sh | tail -n 1); then
  # Given, not found: a model as small as this one makes calls only after it has seen some. At temperature 1, assay's
  # default, most of what it writes cannot be read.
  model=${model/#"$HOME"\//\~/}
  step "$assay" run suites/first -m "gguf:$model?temperature=0.5" --epochs 2 --seed 1 --prelude given -o "$out/real.assay"
  step "$assay" summary "$out/real.assay"
  step "$assay" show "$out/real.assay" "$(tempting_episode "$out/real.assay")"
else
  echo "Without a model this half is left out; the other half needs none."
fi

heading "2. An agent of known conduct: what was planted, beside what is measured"
step "$assay" run suites/first -m policy:policies/cornered.yaml --epochs 200 --seed 1 -o "$out/known.assay"
step "$assay" summary "$out/known.assay"

heading "Where things are, and what to try next"
if [ -f "$out/real.assay" ]; then
  echo "  $out/real.assay and $out/known.assay hold every word and action; any SQLite client reads them."
  echo "  $assay show $out/real.assay          # every episode in a line; add a number to read that one"
else
  echo "  $out/known.assay holds every word and action; any SQLite client reads it."
  echo "  $assay show $out/known.assay         # every episode in a line; add a number to read that one"
fi
echo "  $assay lint suites/first             # then change a scenario there, and see what it says"
