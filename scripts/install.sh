#!/usr/bin/env bash
# Installs the Debian packages that are missing; where none is, it asks no one and takes a few milliseconds.
#
#   scripts/install.sh [--dev]      --dev: those of packages-dev.txt too
#
# Exit codes: 0 all are there; 2 some are missing and this user may not install (the command to run is printed);
# 3 apt could not install them.
set -euo pipefail
cd "$(dirname "$0")"

lists=(packages.txt)
case "${1:-}" in
  '') ;;
  --dev) lists+=(packages-dev.txt) ;;
  *) echo "install.sh: unknown option '$1'" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "install.sh: this is no Debian system; if the build misses something, scripts/packages.txt lists what it needs" >&2
  exit 0
fi

mapfile -t wanted < <(sed -E 's/#.*//; s/[[:space:]]+//g; /^$/d' "${lists[@]}")
installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
            sed -n 's/ installed$//p' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  # Without a password, or, where a person can answer, with one.
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ] && sudo -v; }; }; then
    as_root=(sudo)
  else
    echo "install.sh: packages are missing, and this user may not install them. As root, run:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 2
  fi
fi

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
echo "install.sh: installing ${missing[*]}" >&2
# A list that could not be renewed is no reason to give up: the old one may do.
"${apt[@]}" update >&2 || true
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2; then
  echo "install.sh: apt could not install ${missing[*]}; what it said stands above" >&2
  exit 3
fi
