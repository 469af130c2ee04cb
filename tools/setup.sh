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

python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed. On Debian 12 and newer: apt-get install python3"
}

missing_packages() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null || printf ' python3-venv'
    case $target in venv | check) return ;; esac
    need haproxy haproxy
    need ip iproute2
    need nft nftables
    need openssl openssl
    need ps procps
    need unshare util-linux
    if [ "$target" = bench ] || [ "$(id -u)" = 0 ]; then need wrk wrk; fi
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

python=$(python)
packages=$(missing_packages)
if [ -n "$packages" ]; then
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing. As root: apt-get install --no-install-recommends$packages"
    command -v apt-get >/dev/null || fail "these programs of Debian's packages are missing:$packages"
    install_packages "$packages"
fi

# A folder that was moved, another Python, other dependencies: each makes another stamp.
describe='import sys, tomllib
made = tomllib.load(open("pyproject.toml", "rb"))
print(sys.version, sys.base_prefix, made["build-system"], made["project"])'
stamp=$({ pwd && "$python" -c "$describe" && cat constraints.txt; } | sha256sum)
if [ "$(cat .venv/.complete 2>/dev/null)" = "$stamp" ]; then exit 0; fi

say "making .venv with $python (a minute, once)"
rm -rf .venv
"$python" -m venv .venv
# The build tools first, pinned as well, instead of new ones from pip's own isolated folder each time.
.venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt setuptools
.venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[client,test,check]'
echo "$stamp" >.venv/.complete
