#!/usr/bin/env bash
# Runs every test, after fetching whatever they need: style, lints, docs, dependencies, and all tests, those that
# drive a real window on a virtual display included. For Debian and its kin with Rust installed.
#
#   bash tests/run.sh            everything
#   bash tests/run.sh FILTER     only the tests whose name contains FILTER
#
# Screenshots of the window tests are left in target/ci/screenshots.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
export HANDMILL_SCREENSHOTS=$target/ci/screenshots
# A second build of the same clone is rare here, and incremental files are large.
[ "${CI:-}" = true ] && export CARGO_INCREMENTAL=0

step() { printf '\n== %s (%ds)\n' "$1" "$SECONDS"; }

# Installs those of the named Debian packages that are missing.
packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if ! command -v apt-get >/dev/null; then
        echo "The tests need what Debian calls: ${missing[*]}. Install them, then run this again." >&2
        exit 2
    fi
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    echo "installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null
}

# Some Python with the libraries that read what we write: the person's own, or one beside the build.
python_with_readers() {
    local wanted='import networkx, polars, pyarrow.parquet'
    if python3 -c "$wanted" 2>/dev/null; then
        command -v python3
        return
    fi
    local venv=$target/ci/python
    if ! "$venv/bin/python" -c "$wanted" 2>/dev/null; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check networkx polars pyarrow
    fi
    echo "$venv/bin/python"
}

step "what the tests need"
packages build-essential mount util-linux xvfb xdotool imagemagick libgl1-mesa-dri libgl1 libegl1 libxkbcommon-x11-0 libx11-xcb1 \
    libxcursor1 libxi6
python3 -c 'import venv, ensurepip' 2>/dev/null || packages python3 python3-venv
HANDMILL_PYTHON=$(python_with_readers)
export HANDMILL_PYTHON
rm -rf "$HANDMILL_SCREENSHOTS"
mkdir -p "$HANDMILL_SCREENSHOTS"

if [ $# -eq 0 ]; then
    step "format"
    cargo fmt --check

    step "dependencies"
    # Built without optimisation: a minute instead of many, for a check of three seconds.
    export PATH=$target/ci/tools/bin:$PATH
    cargo deny --version 2>/dev/null || CARGO_TARGET_DIR=$target/ci/tools/build CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --quiet --debug --locked --version 0.20.2 --root "$target/ci/tools" cargo-deny
    rm -rf "$target/ci/tools/build"
    cargo deny check licenses bans sources
    # Known holes are listed on a server that not every machine reaches. Unreachable is told; found is a failure.
    if ! cargo deny check advisories >"$target/ci/advisories.txt" 2>&1; then
        if grep -q 'failed to fetch advisory database' "$target/ci/advisories.txt"; then
            echo "advisories NOT CHECKED: their database cannot be reached from here"
        else
            cat "$target/ci/advisories.txt"
            exit 1
        fi
    else
        echo "advisories ok"
    fi

    step "lints"
    cargo clippy --locked --workspace --all-targets -- -D warnings

    step "docs"
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --document-private-items
fi

step "tests"
log=$target/ci/tests.txt
failed=0
if [ $# -eq 0 ]; then
    cargo test --locked --doc 2>&1 | tee "$log" || failed=1
else
    : >"$log"
fi
# Each kind goes on when another fails: one run tells all.
cargo test --locked --no-fail-fast --lib --bins --tests -- "$@" 2>&1 | tee -a "$log" || failed=1
# The lease's searches, compiled with optimisation. HANDMILL_SEEDS, HANDMILL_FAULTS and HANDMILL_DEEP make them longer.
cargo test --locked --no-fail-fast -p handmill-lease --lib -- --nocapture "$@" 2>&1 | tee -a "$log" || failed=1

step "done"
ls "$HANDMILL_SCREENSHOTS"
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$log"
exit "$failed"
