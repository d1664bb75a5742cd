# shellcheck shell=sh
# Shared by scripts/demo and scripts/test: installs what they need with the machine's ordinary package clients.
# Source this file; do not run it.

say() { printf '%s\n' "$*" >&2; }
stop() {
    say "$*"
    exit 6
}

require_root_on_linux() {
    [ "$(uname -s)" = Linux ] || stop "virtual Pis need Linux; this is $(uname -s)."
    [ "$(id -u)" = 0 ] || stop "virtual Pis need root. Run: sudo $0"
    command -v apt-get > /dev/null || stop "this script needs apt-get to install packages, and this machine has none. Use Debian, Ubuntu or Raspberry Pi OS."
}

# install_packages COMMAND=PACKAGE … - installs the packages whose command is missing.
install_packages() {
    missing=
    for pair in "$@"; do
        command -v "${pair%%=*}" > /dev/null || missing="$missing ${pair#*=}"
    done
    # ensurepip is the part of venv that Debian packages apart.
    python3 -c 'import ensurepip, venv' 2> /dev/null || missing="$missing python3-venv"
    [ -n "$missing" ] || return 0
    say "Installing$missing …"
    apt-get update -q > /dev/null || stop "apt-get update failed. Check that this machine's package mirror is reachable."
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing > /dev/null ||
        stop "apt-get failed to install:$missing"
}

# Picks a Python that lanpi supports (3.11 or later; tests/unit/test_pythons.py holds this against pyproject.toml).
find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" > /dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    stop "Python 3.11 or later is needed; the python3 here is $(python3 -V 2>&1)."
}

# make_environment FOLDER - a virtual environment with the locked versions and this checkout, rebuilt when the lock changes.
make_environment() {
    environment=$1
    stamp=$(cat requirements.lock pyproject.toml | sha256sum | cut -d ' ' -f 1)
    if [ "$(cat "$environment/.stamp" 2> /dev/null)" != "$stamp" ]; then
        say "Installing the locked Python packages …"
        rm -rf "$environment"
        "$(find_python)" -m venv "$environment"
        "$environment/bin/pip" install -q --disable-pip-version-check --require-hashes -r requirements.lock ||
            stop "pip failed to install requirements.lock"
        "$environment/bin/pip" install -q --disable-pip-version-check --no-deps -e . ||
            stop "pip failed to install lanpi"
        printf '%s\n' "$stamp" > "$environment/.stamp"
    fi
    # An installation builds the web pages too (hatch_build.py); another one is due once their sources have changed.
    if ! "$environment/bin/python" web/assets.py --is-fresh; then
        say "Building the web pages …"
        "$environment/bin/pip" install -q --disable-pip-version-check --no-deps -e . ||
            stop "pip failed to build the web pages"
    fi
}
