#!/usr/bin/env bash
# Measures shipped organisms and writes what was found into their cards and pages: true rates from the network, then runs
# of the families that each was trained on, graded, on names and wordings that were trained, that were not, and on all.
#
#   scripts/organisms_validate.sh [NAME...]      without one: every models/NAME.gguf with a recipe beside it
#
# EPOCHS (50) of each run: 200 twins a factor where a scenario has eight cells. An hour an organism on two cores; what was
# run is kept in build/organisms, and goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
assay=${ASSAY:-build/release/assay}
epochs=${EPOCHS:-50}
kept=build/organisms
mkdir -p "$kept"

judge=()
if [ -f models/judge/judge.gguf ]; then judge=(--judge local); else echo "without models/judge/judge.gguf questions stay open" >&2; fi
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for adapter in models/*.gguf; do
    name=$(basename "$adapter" .gguf)
    if [ -f "models/$name.recipe.yaml" ]; then names+=("$name"); fi
  done
fi
for name in "${names[@]}"; do
  adapter=models/$name.gguf
  weights=$("$assay" organism card "$adapter" --json | python3 -c '
import hashlib, json, sys
card = json.load(sys.stdin)
print(hashlib.sha256(json.dumps([card["recipe"], card["training"], card["suite"]]).encode()).hexdigest()[:8])')
  if [ ! -f "$kept/$name-$weights.measured" ]; then
    "$assay" organism measure "$adapter"
    touch "$kept/$name-$weights.measured"
  fi
  families=$("$assay" organism card "$adapter" --json | python3 -c 'import json, sys; print(",".join(json.load(sys.stdin)["families"]))')
  from=()
  for variants in train held-out all; do
    run=$kept/$name-$weights-$variants.assay
    "$assay" run suites/small -m "organism:$name" --only "family=$families" --variants "$variants" --epochs "$epochs" \
      "${judge[@]}" -o "$run"
    "$assay" summary "$run" --json > "$kept/$name-$variants.summary.json"
    from+=(--from "$run")
  done
  "$assay" organism measure "$adapter" "${from[@]}"
  "$assay" organism card "$adapter" --json | python3 scripts/organism_page.py "$kept/$name-held-out.summary.json" > "models/$name.md"
  echo "models/$name.md is written"
done
