#!/usr/bin/env bash
# Control over a real NFS export: one server and three clients, each in a network of its own, with the kernel's own NFS at
# both ends. For Debian on x86-64 with Rust installed; the machine's own kernel needs no NFS, and root is needed only to
# install what is missing.
#
#   bash tests/nfs.sh                 everything: a quarter of an hour on an idle machine
#   bash tests/nfs.sh rounds torture  only these; the names are those of the functions below that begin with `show_`
#
# The kernel is Debian's User Mode Linux, an ordinary process that sees this machine's files. What it writes stays in its own
# memory and in one image of a disk, which is what the server exports. Everything that waits is divided by a scale and
# given a limit far above what it takes, because that kernel is slow: thirty microseconds for a call of the system.
#
#   NFS_VERSIONS="4.2 3"         what to mount with, one after the other
#   HANDMILL_TEST_ROUNDS=600     claims that eight processes race for
#   HANDMILL_TORTURE_SECONDS=180
set -euo pipefail

kernel_modules="nfsd nfsv3 nfsv4 veth"

main() {
    cd "$(dirname "$0")/.."
    local missing=() name work result
    for name in user-mode-linux nfs-kernel-server nfs-common rpcbind iproute2 e2fsprogs kmod; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        local as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        echo "installing: ${missing[*]}"
        "${as_root[@]}" apt-get update -qq
        # Their servers are not wanted here.
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
            "${missing[@]}" >/dev/null
    fi
    cargo build --quiet --bin handmill
    local tests
    tests=$(cargo test --test it --no-run --message-format=json 2>/dev/null |
        grep -o '"executable":"[^"]*/it-[^"]*"' | tail -1 | cut -d'"' -f4)
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # Its name is known now.
    trap "rm -rf '$work'" EXIT
    truncate -s 2G "$work/export.img"
    PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -F "$work/export.img"
    # Its words arrive as variables of its first process.
    TMPDIR=${TMPDIR:-/dev/shm} linux.uml mem=3G quiet root=/dev/root rootfstype=hostfs hostfs=/ ro \
        init="$PWD/tests/nfs.sh" ubd0="$work/export.img" con=null con0=null,fd:1 \
        NFS_BINARY="$(target)/debug/handmill" NFS_TESTS="$tests" NFS_SHOW="$(IFS=, && echo "${*:-}")" \
        NFS_VERSIONS="$(tr ' ' , <<<"${NFS_VERSIONS:-4.2 3}")" HANDMILL_TEST_ROUNDS="${HANDMILL_TEST_ROUNDS:-600}" \
        HANDMILL_TORTURE_SECONDS="${HANDMILL_TORTURE_SECONDS:-180}" \
        HANDMILL_TORTURE_SEED="${HANDMILL_TORTURE_SEED:-$RANDOM}" </dev/null 2>&1 | tee "$work/said"
    result=$(tail -n 20 "$work/said" | grep -c '^all of it was shown' || true)
    [ "$result" -eq 1 ] || { echo "NOT all of it was shown"; exit 1; }
}

target() {
    cargo metadata --no-deps --format-version 1 | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4
}

# From here on inside, as the first process of the other kernel.

say() { local at && read -r at _ </proc/uptime && echo "[$at] $*"; }

fail() {
    say "FAILED: $*"
    failed=1
    local n
    for n in 0 1 2; do
        say "  host$n: sitters $(sitters "$n"), beats from $(head -n 1 "/run/beats-host$n" 2>/dev/null) to" \
            "$(tail -n 1 "/run/beats-host$n" 2>/dev/null)"
    done
}

# users N: the processes that use the home of a host.
users() { grep -lzx "HANDMILL_HOME=/run/home$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }

# How many of them are sitters.
sitters() {
    local pid
    for pid in $(users "$1"); do tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" && echo; done | grep -c ' __sitter' || true
}

# Mounts what a running system has, starts the server, and connects three hosts with it.
start() {
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run/tmp
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mkdir -p /dev/shm /dev/pts
    mount -t tmpfs shm /dev/shm
    mount -t devpts devpts /dev/pts
    mount -t tmpfs run /run
    mkdir -p /run/{tmp,netns,names,export,modules/lib}
    mount -t tmpfs nfs /var/lib/nfs
    mkdir -p /var/lib/nfs/{v4recovery,rpc_pipefs,sm}
    touch /var/lib/nfs/etab
    # Other kernels look for their modules elsewhere.
    ln -s /usr/lib/uml/modules /run/modules/lib/modules
    for name in $kernel_modules; do modprobe -d /run/modules "$name"; done
    hostname server
    ip link set lo up
    mount -t ext4 /dev/ubda /run/export
    mount -t nfsd nfsd /proc/fs/nfsd
    rpcbind -w
    exportfs -o rw,no_root_squash,fsid=0,insecure,no_subtree_check '*:/run/export'
    serve
    rpc.mountd 2>/dev/null
    local n
    for n in 0 1 2; do
        ip netns add "host$n"
        ip link add "to$n" type veth peer name eth0 netns "host$n"
        ip addr add "10.9.$n.1/24" dev "to$n"
        ip link set "to$n" up
        ip -n "host$n" addr add "10.9.$n.2/24" dev eth0
        ip -n "host$n" link set eth0 up
        ip -n "host$n" link set lo up
        touch "/run/names/host$n"
        unshare --uts="/run/names/host$n" hostname "host$n"
    done
}

# Clients of before may come back for ten seconds; until then nobody gets a file open.
serve() { rpc.nfsd --grace-time 10 --lease-time 10 8; }

# on N COMMAND...: on a host.
on() {
    local n=$1
    shift
    nsenter --net="/run/netns/host$n" --uts="/run/names/host$n" -- "$@"
}

# mounts VERSION OPTIONS: the export, at /run/host0 to /run/host2.
mounts() {
    local n path=/ options=vers=$1,$2
    [ "$1" = 3 ] && path=/run/export options+=,nolock
    for n in 0 1 2; do
        mkdir -p "/run/host$n"
        on "$n" mount -t nfs -o "$options" "10.9.$n.1:$path" "/run/host$n"
    done
    export HANDMILL_TEST_MOUNTS=/run/export:/run/host0:/run/host1:/run/host2
}

unmounts() { umount -l /run/host0 /run/host1 /run/host2; }

# until WHAT SECONDS COMMAND...: waits until it succeeds.
until_() {
    local what=$1 by=$((SECONDS + $2))
    shift 2
    until "$@"; do
        if [ $SECONDS -gt $by ]; then
            fail "waited in vain for: $what"
            return 1
        fi
        sleep 0.3
    done
    say "$what"
}

tests() { "$NFS_TESTS" --nocapture --test-threads=1 "$@" 2>&1 | grep -vE '^won|^$|^running' || true; }

# test NAME...: runs them, and fails with them.
test_() {
    local said
    said=$(tests "$@")
    # shellcheck disable=SC2001  # Each line is to be set in.
    sed 's/^/    /' <<<"$said"
    grep -q '^test result: ok. [1-9]' <<<"$said" || fail "$1"
}

show_rounds() { test_ --exact share::item_16_of_eight_processes_exactly_one_wins_each_of_600_rounds; }

# Whole runtimes: claim, refusal, request, hand-over, a machine that hangs, a folder that goes away.
show_control() { test_ control:: --skip data_engine_control; }

# Takeovers after 18 s.
show_torture() {
    HANDMILL_TORTURE_SCALE=5 test_ --exact \
        torture::machines_that_are_stopped_and_killed_never_run_at_once_and_never_publish_backwards
}

# handmill N ARGUMENTS...: on a host, with a home of its own.
handmill() {
    local n=$1
    shift
    HANDMILL_HOME=/run/home$n HANDMILL_COLLECTION=/run/host$n on "$n" "$NFS_BINARY" "$@"
}

# background N FILE ARGUMENTS...: the same, with what it says in a file and its process in $started.
background() {
    local n=$1 file=$2
    shift 2
    # Not the function: its shell would be the process.
    HANDMILL_HOME=/run/home$n nsenter --net="/run/netns/host$n" --uts="/run/names/host$n" -- \
        "$NFS_BINARY" "$@" >"$file" 2>&1 &
    started=$!
}

# finish PID...: ends what was begun in the background.
finish() {
    kill -TERM "$@" 2>/dev/null
    wait "$@" 2>/dev/null
}

# Nothing uses a home of the section before.
is_over() { [ -z "$(users '[012]')" ]; }

flow() {
    # A sitter outlives what it was needed for by two seconds.
    until_ "no process of before is left" 60 is_over || true
    rm -rf /run/home* /run/beats* /run/go /run/export/ws
    mkdir -p /run/export/ws/flow_modules
    # It touches nothing in the folder, so that only Handmill can end it.
    cat >/run/export/ws/flow_modules/flow.graphml <<'GRAPHML'
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="l" for="node" attr.name="label" attr.type="string"/>
<graph edgedefault="directed"><node id="a"><data key="l">until [ -e /run/go ]; do read at rest &lt;/proc/uptime; echo "$at $HANDMILL_EPOCH" &gt;&gt;/run/beats-$(hostname); sleep 0.2; done</data></node></graph></graphml>
GRAPHML
}

status() { handmill "$1" control status "/run/host$1/ws" 2>&1 | tr '\n' '|'; }
beat() { tail -n 1 "/run/beats-host$1" 2>/dev/null | cut -d. -f1; }
says() { status "$1" | grep -qE "$2"; }
runs() { [ -s "/run/beats-host$1" ]; }
# Nothing ran there for two seconds.
is_quiet() {
    local before
    before=$(beat "$1")
    sleep 2
    [ "$before" = "$(beat "$1")" ]
}
ended() { ! kill -0 "$1" 2>/dev/null; }
# start_run N: its process is $run.
start_run() {
    background "$1" "/run/said-host$1" run "/run/host$1/ws/flow_modules/flow.graphml"
    run=$started
    until_ "a node runs on host$1" 60 runs "$1"
}

# With the limits of production, a server that is away for 20 s costs nothing.
show_restart() {
    flow
    start_run 0
    local at
    rpc.nfsd 0
    say "the server is away"
    sleep 20
    serve
    say "it is back: $(status 0)"
    at=$(beat 0)
    until_ "the node still runs" 30 eval '[ "$(beat 0)" -gt '"$at"' ]' || true
    until_ "host1 sees the owner" 60 says 1 'host0 has control'
    touch /run/go
    until_ "the run is over" 60 ended "$run"
    wait "$run" || fail "the run: $(cat /run/said-host0)"
}

# By hand: claim, refusal, request, hand-over, kill, takeover. Limits divided by five: a takeover after 18 s.
show_journey() {
    export HANDMILL_CONTROL_SCALE=5
    local first killed
    flow
    say "host0: $(handmill 0 doctor | grep -A 1 -E 'collection, file' | tr -s ' \n' ' ')"
    start_run 0
    first=$run
    say "host0: $(status 0)"
    say "host1: $(status 1)"
    if handmill 1 run /run/host1/ws/flow_modules/flow.graphml >/run/said 2>&1; then fail "it ran on two hosts"; fi
    say "host1 is refused: $(head -n 1 /run/said)"
    background 1 /run/asks control request /run/host1/ws
    local asks=$started
    until_ "host0 is asked" 60 says 0 'asked for by host1'
    handmill 0 control hand-over --when now /run/host0/ws >/run/said 2>&1 || say "hand-over: $(cat /run/said)"
    until_ "host1 has control" 60 says 1 'This Workstation has control'
    until_ "the run of host0 is over" 60 ended "$first"
    is_quiet 0 || fail "its node runs on"
    start_run 1
    say "host2: $(status 2)"
    # As a power cut: its keeper, its run, its sitter, its nodes.
    killed=$(users 1)
    # shellcheck disable=SC2086  # Several.
    kill -KILL $killed 2>/dev/null || true
    say "host1 has lost its power"
    wait "$asks" 2>/dev/null || true
    background 2 /run/takes control take-over --wait 120 /run/host2/ws
    local takes=$started
    until_ "host2 has taken over" 90 says 2 'This Workstation has control'
    until_ "host0 sees it" 60 says 0 'host2 has control'
    start_run 2
    touch /run/go
    until_ "its run is over" 60 ended "$run"
    wait "$run" || fail "the run: $(cat /run/said-host2)"
    finish "$takes"
    until_ "nobody has control" 60 says 0 'Nobody has control'
    unset HANDMILL_CONTROL_SCALE
}

# The owner's link is cut: its node ends, another takes over, and it finds itself ousted.
show_partition() {
    export HANDMILL_CONTROL_SCALE=5
    flow
    background 0 /run/keeps control request /run/host0/ws
    local keeps=$started watches takes last first from
    until_ "host0 has control" 60 says 0 'This Workstation has control'
    start_run 0
    background 2 /run/watched control watch /run/host2/ws
    watches=$started
    background 1 /run/takes control take-over --wait 200 /run/host1/ws
    takes=$started
    sleep 3
    ip link set to0 down
    say "host0 is cut off"
    until_ "its node is dead" 60 is_quiet 0
    until_ "host1 has taken over" 120 says 1 'This Workstation has control'
    last=$(beat 0)
    start_run 1
    first=$(head -n 1 /run/beats-host1 | cut -d. -f1)
    say "nothing ran for $((first - last)) s"
    [ "$first" -ge "$last" ] || fail "two ran at once"
    from=$SECONDS
    say "host0: $(status 0)"
    [ $((SECONDS - from)) -lt 30 ] || fail "a look hung"
    ip link set to0 up
    say "host0 is back"
    until_ "host0 sees the owner" 120 says 0 'host1 has control'
    is_quiet 0 || fail "its node came back"
    touch /run/go
    until_ "the run of host1 is over" 60 ended "$run"
    wait "$run" || fail "the run: $(cat /run/said-host1)"
    say "host2 saw: $(tr '\n' '|' </run/watched)"
    ended "$watches" && fail "host2 watches no more"
    finish "$takes" "$keeps" "$watches"
    unset HANDMILL_CONTROL_SCALE
}

# The server is away for longer than control lasts without it: nodes end, nothing hangs, and control comes back.
show_outage() {
    export HANDMILL_CONTROL_SCALE=5
    flow
    background 0 /run/keeps control request /run/host0/ws
    local keeps=$started watches at
    until_ "host0 has control" 60 says 0 'This Workstation has control'
    start_run 0
    background 1 /run/watched control watch /run/host1/ws
    watches=$started
    sleep 3
    rpc.nfsd 0
    say "the server is away"
    until_ "the node is dead" 60 is_quiet 0
    # Longer than a client believes what it saw last.
    sleep 60
    at=$SECONDS
    say "host0: $(status 0)"
    say "host1: $(status 1)"
    [ $((SECONDS - at)) -lt 60 ] || fail "a look hung"
    serve
    say "the server is back"
    # A request that lost control has ended; a window would go on by its policy.
    until_ "its keeper has ended" 60 ended "$keeps"
    say "host0 said: $(tr '\n' '|' </run/keeps)"
    background 0 /run/keeps control take-over --wait 120 /run/host0/ws
    keeps=$started
    until_ "host0 has control again" 120 says 0 'This Workstation has control'
    until_ "host1 sees it" 60 says 1 'host0 has control'
    touch /run/go
    until_ "a run works again" 90 handmill 0 run --full /run/host0/ws/flow_modules/flow.graphml
    say "host1 saw: $(tr '\n' '|' </run/watched)"
    ended "$watches" && fail "host1 watches no more"
    finish "$keeps" "$watches"
    unset HANDMILL_CONTROL_SCALE
}

inside() {
    failed=0
    start
    local version what
    for version in ${NFS_VERSIONS//,/ }; do
        mounts "$version" hard
        for what in $(tr , ' ' <<<"${NFS_SHOW:-journey,restart,partition,outage,rounds,control,torture}"); do
            say "== NFS $version: $what"
            "show_$what"
        done
        unmounts
    done
    say "over"
    [ $failed -eq 0 ] && echo "all of it was shown"
}

if [ $$ -eq 1 ]; then
    set +e
    inside
    poweroff -f 2>/dev/null
else
    main "$@"
fi
