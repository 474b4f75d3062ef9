#!/bin/sh
# Everything that `make` needs, once: Debian packages that are missing, a virtual environment, Python packages.
# A second run finds the stamp and the packages, and installs nothing.
# usage: tools/setup.sh [group...]    groups of edgekit/system-packages.txt; default: build develop
# Exit code: 0 ready, 4 something is missing that only the user can install (the line to run is printed).
set -eu

cd "$(dirname "$0")/.."
list=edgekit/system-packages.txt
venv=.venv
stamp=$venv/.edgekit-ready
groups=${*:-build develop}

say() { printf 'setup: %s\n' "$*" >&2; }

stop() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 4
}

# --- Debian packages -------------------------------------------------------------------------------------------

registered() { # package: has dpkg installed it?
  set -- /var/lib/dpkg/info/"$1".list /var/lib/dpkg/info/"$1":*.list
  [ -e "$1" ] || [ -e "$2" ]
}

found() { # probe, package
  case $1 in
    dpkg) registered "$2" ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

rows() { # the rows of the wanted groups: probe|packages
  for group in $groups; do
    sed -n "s/^$group *| *//p" "$list" | awk -F' *[|] *' '{print $1 "|" $2}'
  done
}

missing() { # one line of package names for each row whose probe fails
  rows | while IFS='|' read -r probe packages; do
    found "$probe" "${packages%% *}" || printf '%s\n' "$packages"
  done
}

known() { # of some packages, the first that the package list has; else the last
  for package in "$@"; do
    if apt-cache show "$package" 2>/dev/null | grep -q "^Package: $package\$"; then break; fi
  done
  printf '%s\n' "$package"
}

names() { # what to install for lines of alternatives on stdin
  # Split on purpose: each line holds names divided by blanks.
  # shellcheck disable=SC2086
  while read -r packages; do known $packages; done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

as_root() { # run a command with root's rights; fails when there are none
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 77
  fi
}

apt() { # apt-get that asks nothing and waits for another one to finish
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

install() { # install the packages of the lines on stdin
  wanted=$(cat)
  [ -n "$wanted" ] || return 0
  line="sudo apt-get update && sudo apt-get install -y --no-install-recommends"
  command -v apt-get >/dev/null 2>&1 ||
    stop "missing: $(printf '%s\n' "$wanted" | awk '{print $NF}' | sort -u | tr '\n' ' ')" \
      "install these (Debian's names) with your system's package manager, then run make again"
  if ! as_root true; then
    stop "packages are missing, and installing them needs root's rights" \
      "run this line, then make again: $line $(printf '%s\n' "$wanted" | names)"
  fi
  say "refreshing the package list"
  # One unreachable extra repository must not stop the set-up: what matters is that the packages can be had.
  apt update >/dev/null 2>&1 || say "apt-get update reported errors; going on with the list as it is"
  chosen=$(printf '%s\n' "$wanted" | names)
  say "installing $chosen"
  # Split on purpose, as above; recommended packages (documentation, desktop parts of QEMU) are not needed.
  # shellcheck disable=SC2086
  apt install --no-install-recommends $chosen >&2 || stop "apt-get could not install: $chosen" "run: $line $chosen"
}

# --- Python ----------------------------------------------------------------------------------------------------

# TensorFlow's wheels end at 3.13.
supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() { # the system's own Python when it is new enough, else the newest one beside it
  for python in python3 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null 2>&1 && supported "$python"; then
      printf '%s\n' "$python"
      return
    fi
  done
}

missing_python() { # as `missing`; Debian keeps ensurepip in a package of its own for each version
  python=$(find_python)
  if [ -z "$python" ]; then
    printf 'python3\npython3-venv\n'
  elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$python" -c 'import sys; print("python%d.%d-venv python3-venv" % sys.version_info[:2])'
  fi
}

fingerprint() { # what the virtual environment depends on; the path, since an editable install keeps it
  { pwd && cat pyproject.toml && "$venv/bin/python" -VV; } 2>/dev/null | sha256sum | cut -d' ' -f1
}

ready() { [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ]; }

make_venv() {
  python=$(find_python)
  [ -n "$python" ] || stop "Python 3.11, 3.12 or 3.13 is needed, but python3 here is $(python3 -V 2>&1)" \
    "install one of them beside it (for example: sudo apt-get install python3.11 python3.11-venv), then run make again"
  if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    say "making the virtual environment $venv with $("$python" -V)"
    "$python" -m venv --clear "$venv"
  fi
  say "installing Python packages (TensorFlow is large: minutes on the first run)"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 5 -e '.[dev]' ||
    stop "pip could not install EdgeKit's Python packages" "see pip's lines above; when the network failed, run make again"
  make_tflite_runtime
  fingerprint >"$stamp"
}

make_tflite_runtime() { # an interpreter of older devices, which wants NumPy 1: it has an environment inside of ours
  older="$venv/share/edgekit/tflite-runtime"
  "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || return 0
  { "$venv/bin/python" -m venv "$older" &&
    "$older/bin/python" -m pip install --quiet --disable-pip-version-check 'tflite-runtime==2.14.0' 'numpy<2'; } ||
    say "tflite-runtime could not be installed: going on without it"
}

if ! ready; then
  { missing && missing_python; } | install
  make_venv
else
  missing | install
fi
