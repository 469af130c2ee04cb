#!/bin/sh
# What a target needs is there afterwards: Debian's packages, and .venv with what constraints.txt pins.
# Usage: tools/setup.sh [venv|check|test|demo|bench]
set -eu
cd "$(dirname "$0")/.."
target=${1:-venv}

# Two of us at once would install into the same folders.
exec 9<tools/setup.sh
if command -v flock >/dev/null; then flock 9; fi

say() { echo "==> $*"; }

fail() {
    echo "error: $*" >&2
    exit 1
}

# Prints the package when the command is missing.
need() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || printf ' %s' "$2"; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

makes_venvs() { recent "$1" && "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Root's own Python, in a home folder that is closed to others, would make a .venv that nobody else can use.
serves_everybody() {
    makes_venvs "$1" || return 1
    [ "$(id -u)" = 0 ] || return 0
    "$1" -c 'import os, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534), os.chdir("/")
os.execv(sys.executable, [sys.executable, "-c", ""])' 2>/dev/null
}

python() {
    for good in serves_everybody makes_venvs recent; do
        for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 /usr/bin/python3}; do
            if $good "$candidate"; then
                command -v "$candidate"
                return
            fi
        done
    done
    fail "Python 3.11 or newer is needed. On Debian 12 and newer: apt-get install python3"
}

missing_packages() {
    if ! made; then makes_venvs "$python" || printf ' python3-venv'; fi
    case $target in venv | check) return ;; esac
    need haproxy haproxy
    need ip iproute2
    need nft nftables
    need openssl openssl
    need ps procps
    need mariadbd mariadb-server-core
    if ! command -v unshare >/dev/null || ! command -v nsenter >/dev/null; then printf ' util-linux'; fi
    if [ "$target" = bench ] || [ "$(id -u)" = 0 ]; then need wrk wrk; fi
}

# Without root: what cannot be done without ends it, the rest is only said.
ask_for_packages() {
    ask="As root: apt-get install --no-install-recommends$1"
    for package in $1; do
        case $package in
        haproxy | iproute2 | openssl | util-linux | python3-venv) fail "these Debian packages are missing:$1. $ask" ;;
        esac
    done
    say "going on without these Debian packages:$1. $ask"
}

install_packages() {
    say "installing Debian packages:$1"
    # HAProxy's own service must not run: nothing of ours uses it.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 1' INT TERM
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y -qq --no-install-recommends $1 </dev/null >/dev/null
    case $1 in *haproxy*) if [ -d /run/systemd/system ]; then systemctl disable --now --quiet haproxy; fi ;; esac
}

# A folder that was moved, another Python, other dependencies: each makes another stamp.
stamp() {
    describe='import sys, tomllib
made = tomllib.load(open("pyproject.toml", "rb"))
print(sys.version, sys.base_prefix, made["build-system"], made["project"])'
    { pwd && "$1" -c "$describe" && cat constraints.txt; } | sha256sum
}

# What is there and complete stays, whichever Python this shell would choose.
made() { [ -e .venv/.complete ] && [ "$(cat .venv/.complete)" = "$(stamp .venv/bin/python 2>/dev/null)" ]; }

python=$(python)
packages=$(missing_packages)
if [ -n "$packages" ]; then
    if [ "$(id -u)" != 0 ]; then
        ask_for_packages "$packages"
    else
        command -v apt-get >/dev/null || fail "these programs of Debian's packages are missing:$packages"
        install_packages "$packages"
    fi
fi
if made; then exit 0; fi

say "making .venv with $python (a minute, once)"
rm -rf .venv
"$python" -m venv .venv
# The build tools first, pinned as well, instead of new ones from pip's own isolated folder each time.
.venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt setuptools
.venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[client,test,check]'
stamp .venv/bin/python >.venv/.complete
