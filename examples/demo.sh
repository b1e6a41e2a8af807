#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo: boots a Debian guest, forks it into 8 clones that each answer their share of a question
# about Debian's packages, and shows what the forks cost. `make demo` calls it.
#
# Environment: CLONES (8), MEMORY (256M), CPUS (1), VMFORK_ACCEL (auto).
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
CLONES=${CLONES:-8}
STEPS=7
LAB_LOGS=$top/build/demo
. selftests/lab/lab.sh

step() { # N TEXT
	printf '\n[%d/%d] %s\n' "$1" "$STEPS" "$2"
}

fail() {
	printf '\ndemo: %s\n' "$*" >&2
	printf 'demo: logs are in %s\n' "$LAB_LOGS" >&2
	exit 1
}

bail_out() {
	fail "$@"
}

# Shows a command's output only if it fails.
quietly() { # LOG COMMAND...
	local log=$LAB_LOGS/$1
	shift
	"$@" > "$log" 2>&1 < /dev/null && return
	tail -n 30 "$log"
	fail "failed: $*"
}

# What the console said since the fork's program was started: the same program ran before.
console() {
	tail -c "+$((console_start + 1))" "$log"
}

log_has() { # PATTERN
	console | grep -aE "$1" > /dev/null
}

# debgraph's lines, as they come over the console
follow() {
	tail -c "+$((console_start + 1))" -f --pid=$$ "$log" 2> /dev/null \
		> >(grep -a --line-buffered '^debgraph: ' | sed -u 's/^/      /') &
	follower=$!
}

wait_for_line() { # PATTERN WHAT
	lab_wait_for 600 "$2" log_or_end "$1" || fail "$2 did not happen in ten minutes"
	log_has "$1" || fail "debgraph ended early: $(console | grep -a 'debgraph' | tail -n 3)"
}

log_or_end() {
	log_has "$1" || log_has '^DEBGRAPH-ENDED'
}

totals() {
	sed -n 's/^totals: //p' | tail -n 1
}

mkdir -p "$LAB_LOGS"
step 1 "what is needed"
selftests/lab/deps.sh build run test || exit
step 2 "building (gcc, the guest's module)"
quietly build.log make --no-print-directory -j"$(nproc)" user modules
step 3 "the guest: Debian 12 with its own kernel"
selftests/lab/guest-image.sh build/lab || fail "no guest image"

step 4 "a private vmforkd"
lab_start
vmforkctl version | sed 's/^/      /'
step 5 "booting the guest (${MEMORY:=256M} of memory, ${CPUS:=1} CPU)"
start=$SECONDS
lab_run debian --memory "$MEMORY" --cpus "$CPUS" || fail "the guest does not boot"
log=$(lab_log debian)
echo "      up after $((SECONDS - start)) s, $(lab_vm debian accel), Linux $(lab_vm debian kernel_release)"

step 6 "the question, without fork: what does each package bring along?"
start=$SECONDS
lab_exec -t 600 debian 'debgraph --no-fork' > "$LAB_LOGS/without-fork" || fail "debgraph --no-fork failed"
wanted=$(totals < "$LAB_LOGS/without-fork")
echo "      answered in $((SECONDS - start)) s"

step 7 "the same question, with a fork into $CLONES clones"
console_start=$(stat -c %s "$log")
lab_exec debian "mkfifo /tmp/go; { debgraph --clones $CLONES --hold /tmp/go; echo DEBGRAPH-ENDED \$?; } \
	< /dev/null > /dev/ttyS0 2>&1 &" || fail "cannot start debgraph"
follow
wait_for_line '^debgraph: all answers are in' "the clones' answers"
vmforkctl stats --json > "$LAB_LOGS/stats.json" || fail "vmforkctl stats failed"
lab_exec debian 'echo go > /tmp/go' || fail "cannot tell debgraph to go on"
wait_for_line '^DEBGRAPH-ENDED' "the end of the clones"
{ kill "$follower" && wait "$follower"; } 2> /dev/null
got=$(console | totals)
console | sed -n '/^largest with all/,/^totals:/p' | sed 's/^/      /'
echo
examples/demo_table.py debian "$CLONES" < "$LAB_LOGS/stats.json" || fail "not all clones are in the table"
echo
[ "$(console | grep -a '^DEBGRAPH-ENDED')" = "DEBGRAPH-ENDED 0" ] || fail "debgraph failed"
[ -n "$wanted" ] && [ "$got" = "$wanted" ] || {
	echo "with fork:    $got"
	echo "without fork: $wanted"
	fail "the totals differ"
}
echo "totals with and without fork are the same: $got"
lab_stop
left=$(lab_nothing_left) || fail "something is left behind: $left"
echo "nothing is left behind: no process, no file, no mount"
