# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Library of the host's tests: a private vmforkd, guests in it, TAP, and nothing left behind.
#
#	. "$(dirname "$0")/../lab/lab.sh"
#	lab_start
#	lab_run web --memory 256M
#	check "the guest answers" lab_exec web true
#	done_testing
#
# Everything lives in $LAB_DIR (the daemon's runtime directory is $LAB_DIR/run) and in $LAB_IMAGES, a
# directory of a tmpfs; both are removed on any exit. Environment: VMFORK_ACCEL (auto), LAB_LOGS:
# where logs are kept; LAB_KEEP=1: do not remove LAB_DIR; LAB_GUEST: directory of guest-image.sh.

LAB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_BUILD=${VMFORK_BUILD:-$LAB_TOP/build}
LAB_BACKEND=${LAB_BACKEND:-qemu}	# or xen: in Xen's control domain
LAB_VMFORKD=vmforkd
if [ "$LAB_BACKEND" = xen ]; then
	LAB_VMFORKD=vmforkd-xen
	LAB_GUEST=${LAB_GUEST:-$LAB_BUILD/xen/disk-guest}
fi
LAB_GUEST=${LAB_GUEST:-$LAB_BUILD/lab}
LAB_ACCEL=${VMFORK_ACCEL:-auto}
LAB_PATIENCE=${LAB_PATIENCE:-120}
LAB_LOGS=${LAB_LOGS:-$LAB_BUILD/check/$(basename "$0" .sh)}
LAB_DIR=
LAB_IMAGES=
LAB_DAEMON=
LAB_KEEPER=	# pid of the last daemon, which its cgroup is named for
LAB_REPORTS=	# by the guest's env: its kernel has checkers, and what they say is a failure
LAB_CONSOLES=	# pid of what keeps the consoles then
tap_count=0
tap_failed=0

on_xen() {
	[ "$LAB_BACKEND" = xen ]
}

# ---- TAP

diag() { # TEXT...: comment lines
	printf '%s\n' "$*" | sed 's/^/# /'
}

ok() { # DESCRIPTION
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' "$tap_count" "$*"
}

not_ok() { # DESCRIPTION
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "$*"
}

skip() { # DESCRIPTION WHY
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

skip_all() { # WHY: ends the suite
	printf '1..0 # SKIP %s\n' "$*"
	exit 0
}

check() { # DESCRIPTION COMMAND...: ok if it succeeds; its output is shown otherwise
	local what=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" = 0 ]; then
		ok "$what"
	else
		not_ok "$what"
		diag "$* -> status $status"
		[ -z "$output" ] || diag "$output"
	fi
	return 0
}

check_fails() { # DESCRIPTION PATTERN COMMAND...: ok if it fails and says PATTERN (grep -E)
	local what=$1 pattern=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	if [ "$status" != 0 ] && grep -Eq -- "$pattern" <<< "$output"; then
		ok "$what"
	else
		not_ok "$what"
		diag "$* -> status $status, wanted a failure that says: $pattern"
		diag "$output"
	fi
}

is() { # DESCRIPTION GOT WANTED
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		diag "got:    $2"
		diag "wanted: $3"
	fi
}

done_testing() { # stops the daemon, checks that nothing is left, prints the plan, exits
	if [ -n "$LAB_DIR" ]; then
		lab_look_at_all
		lab_stop
		[ -z "$LAB_REPORTS" ] || check "no kernel has reported anything" lab_no_reports
		check "no process, file, mount, network device or table is left" lab_nothing_left
	fi
	printf '1..%d\n' "$tap_count"
	exit $((tap_failed > 0))
}

bail_out() { # WHY: nothing more can be tested
	printf 'Bail out! %s\n' "$*"
	exit 1
}

# ---- waiting

# SECONDS are for LAB_PATIENCE=120, and longer or shorter with it. Where all is slow it is asked less
# often, or asking would take the time that is waited for.
lab_wait_for() { # SECONDS WHAT COMMAND...: until it succeeds; there is no event for a shell to wait on
	local end=$((SECONDS + $1 * LAB_PATIENCE / 120)) what=$2 pause=$((LAB_PATIENCE * 200 / 120))
	shift 2
	until "$@" > /dev/null 2>&1; do
		if ((SECONDS >= end)); then
			diag "not in time: $what"
			return 1
		fi
		sleep "$((pause / 1000)).$(printf %03d $((pause % 1000)))"
	done
}

# ---- the private daemon

lab_setup() { # directories that QEMU's user can reach, wherever the tree is
	[ -z "$LAB_DIR" ] || return 0
	[ -e "$LAB_GUEST/env" ] || bail_out "no guest image: make guest-image"
	# shellcheck disable=SC1091
	. "$LAB_GUEST/env"
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/vmfork-lab.XXXXXX") || bail_out "no temporary directory"
	LAB_IMAGES=$(mktemp -d "${LAB_SHM:-/dev/shm}/vmfork-lab.XXXXXX") || bail_out "no /dev/shm"
	trap lab_exit EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir -p "$LAB_DIR/run" "$LAB_DIR/lib" "$LAB_DIR/boot" "$LAB_DIR/consoles" "$LAB_LOGS"
	chmod 755 "$LAB_DIR" "$LAB_DIR"/*
	chmod 1777 "$LAB_IMAGES"
	cp "$LAB_BUILD"/lib/*.so* "$LAB_BUILD/bin/vmfork-pager" "$LAB_DIR/lib/"
	if on_xen; then
		cp "$LAB_BUILD"/bin/{vmfork-pager-xen,vmfork-xenvm} "$LAB_DIR/lib/"
	fi
	cp "$LAB_INITRD" "$LAB_DIR/boot/initrd.img"
	LAB_INITRD=$LAB_DIR/boot/initrd.img
	export VMFORK_SOCKET=$LAB_DIR/run/control.sock
	PATH=$LAB_BUILD/bin:$PATH
	ip -o link 2> /dev/null | cut -d: -f2 | sort > "$LAB_DIR/links"
	nft list tables 2> /dev/null | sort > "$LAB_DIR/tables"
	sort /proc/mounts > "$LAB_DIR/mounts"
}

lab_start() { # [VMFORKD-OPTION]...: starts it, or starts it again
	lab_setup
	rm -f "$LAB_DIR"/console.*
	local how=(--runtime-dir "$LAB_DIR/run" --image-dir "$LAB_IMAGES" --lib-dir "$LAB_DIR/lib"
		--identity-timeout $((LAB_PATIENCE / 2)) --die-with-parent)
	[ "$(id -u)" != 0 ] || how+=(--user vmfork)
	"$LAB_VMFORKD" "${how[@]}" "$@" >> "$LAB_DIR/vmforkd.log" 2>&1 &
	LAB_DAEMON=$!
	LAB_KEEPER=$LAB_DAEMON
	if [ -n "$LAB_REPORTS" ] && [ -z "$LAB_CONSOLES" ]; then
		lab_keep_consoles &
		LAB_CONSOLES=$!
	fi
	lab_wait_for 30 "vmforkd answers" lab_answers || {
		diag "$(tail -n 20 "$LAB_DIR/vmforkd.log")"
		bail_out "vmforkd does not start"
	}
}

lab_answers() {
	kill -0 "$LAB_DAEMON" && vmforkctl ps
}

# ---- reports of kernels that have checkers

# A machine's console goes with the machine: each gets a second name.
lab_keep_consoles() {
	local log name
	while kill -0 $$; do
		for log in "$LAB_DIR"/run/vm/*/console.log; do
			name=${log%/console.log}
			ln "$log" "$LAB_DIR/consoles/${name##*/}"
		done
		sleep 0.2
	done > /dev/null 2>&1
}

LAB_REPORT='BUG:|WARNING:|KASAN|Oops|general protection|orruption|Bad page|kmemleak: [1-9]'
LAB_REPORT+='|INFO: (task|rcu|trying|possible)|possible (recursive|circular|irq)|suspicious RCU'

lab_no_reports() { # of any machine that ran; the console is kept if there is one
	local console bad=0
	for console in "$LAB_DIR"/consoles/*; do
		grep -aqE "$LAB_REPORT" "$console" || continue
		bad=1
		echo "${console##*/}: $(grep -acE "$LAB_REPORT" "$console") lines, the first of them:"
		grep -aE -m 1 -B 2 -A 12 "$LAB_REPORT" "$console"
		cp "$console" "$LAB_LOGS/"
	done
	return "$bad"
}

# What a console does not tell: memory that the module has lost in VM. Suites call it before they end
# a machine that did much; done_testing does for those that are left.
lab_look_at() { # VM
	[ -n "$LAB_REPORTS" ] || return 0
	check "$1: kmemleak finds nothing of the module's" \
		lab_exec -t $((LAB_PATIENCE * 2)) "$1" leak_scan.sh
}

lab_look_at_all() {
	local vm
	[ -n "$LAB_REPORTS" ] && [ -n "$LAB_DAEMON" ] || return 0
	for vm in $(vmforkctl ps -q); do
		lab_look_at "$vm"
	done
}

lab_stop() {
	[ -n "$LAB_DAEMON" ] || return 0
	kill -TERM "$LAB_DAEMON" 2> /dev/null
	lab_wait_for 30 "vmforkd ends" lab_daemon_gone || kill -KILL "$LAB_DAEMON"
	wait "$LAB_DAEMON" 2> /dev/null
	LAB_DAEMON=
}

lab_daemon_gone() {
	! kill -0 "$LAB_DAEMON"
}

# shellcheck disable=SC2317
lab_exit() {
	local status=$? pid
	trap - EXIT
	trap '' INT TERM
	lab_stop
	[ -z "$LAB_CONSOLES" ] || kill "$LAB_CONSOLES" 2> /dev/null
	cp "$LAB_DIR"/vmforkd.log "$LAB_LOGS/" 2> /dev/null
	for pid in $(lab_processes); do
		kill -KILL "$pid" 2> /dev/null
	done
	! on_xen || lab_destroy_domains
	rm -rf "$LAB_IMAGES"
	[ -n "${LAB_KEEP:-}" ] || rm -rf "$LAB_DIR"
	exit "$status"
}

# shellcheck disable=SC2317
lab_destroy_domains() { # that were left by processes that had no chance to end them
	local name
	for name in $(xl list | awk '$1 ~ /^vmfork-/ { print $1 }'); do
		xl destroy "$name"
	done
}

# ---- what is left

lab_processes() { # pids that have to do with this lab: by command line, open file or mapping
	local pid
	# An empty name would match every process of this machine.
	[ -n "$LAB_DIR" ] && [ -n "$LAB_IMAGES" ] || return 0
	# The two that look find themselves; they have ended before they are looked at.
	for pid in $({ grep -lazE "$LAB_DIR|$LAB_IMAGES" /proc/[0-9]*/cmdline
		grep -lE "$LAB_DIR/run|$LAB_IMAGES" /proc/[0-9]*/maps; } 2> /dev/null |
		cut -d/ -f3 | sort -un); do
		[ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || [ ! -e "/proc/$pid" ] || echo "$pid"
	done
}

lab_cgroups() { # those that vmforkd made, whoever it is; its own if it runs
	local mount
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -z "$mount" ] || [ -z "$LAB_KEEPER" ] || find "$mount" -maxdepth 2 -path "*/vmfork.$LAB_KEEPER*"
}

lab_nothing_left() {
	local left=0 pid text
	lab_wait_for 20 "its processes end" lab_no_processes || true
	for pid in $(lab_processes); do
		echo "process $pid: $(tr '\0' ' ' < "/proc/$pid/cmdline" | cut -c1-200)"
		left=1
	done
	text=$(find "$LAB_IMAGES" -mindepth 1; find "$LAB_DIR/run" -mindepth 1 ! -type d ! -name lock ! -name '*.log')
	text+=$(sort /proc/mounts | comm -13 "$LAB_DIR/mounts" - | grep -E "$LAB_DIR|$LAB_IMAGES")
	text+=$(ip -o link 2> /dev/null | cut -d: -f2 | sort | comm -13 "$LAB_DIR/links" - |
		grep -E '^ *(vf|vmfork)')
	text+=$(lab_cgroups)
	text+=$(nft list tables 2> /dev/null | sort | comm -13 "$LAB_DIR/tables" - | grep -E ' (vf|vmfork)')
	if [ -n "$text" ]; then
		echo "$text"
		left=1
	fi
	return "$left"
}

lab_no_processes() {
	[ -z "$(lab_processes)" ]
}

# ---- guests

lab_run() { # NAME [VMFORKCTL-RUN-OPTION]...: starts a guest with the command shell, waits for it
	local name=$1
	shift
	lab_boot "$name" vmfork.shell "$@" || return
	lab_await_shell "$name" || {
		diag "$(tail -n 20 "$(lab_log "$name")")"
		return 1
	}
}

lab_await_shell() { # VM [SECONDS]: its log is asked for once, the machine has to boot meanwhile
	local log
	log=$(lab_log "$1") && lab_wait_for "${2:-120}" "shell of $1" grep -qa '^VMFORK-READY' "$log"
}

lab_boot() { # NAME APPEND [VMFORKCTL-RUN-OPTION]...: starts a guest of the lab's disk
	local name=$1 append=$2
	shift 2
	vmforkctl run "$name" --accel "$LAB_ACCEL" --kernel "$LAB_KERNEL" --initrd "$LAB_INITRD" \
		--append "$LAB_APPEND $append" ${LAB_DISK:+--disk "$LAB_DISK,format=$LAB_DISK_FORMAT"} \
		"$@" > /dev/null
}

lab_vm() { # VM MEMBER: one member of the VM's JSON object
	# shellcheck disable=SC2016	# jq expands it
	vmforkctl ps --json | jq -r --arg vm "$1" --arg member "$2" '
		[.vms[] | select(.name == $vm or (.handle | tostring) == $vm)][0] // error("no VM " + $vm) |
		getpath($member | split(".")) |
		if . == null then error("no " + $member) elif type == "string" then . else tojson end'
}

lab_log() { # VM: path of its console's log
	lab_vm "$1" log
}

# Asked for once: a machine of the same name has another socket, and the old one is gone with the old one.
lab_console() { # VM: its console's socket
	local known=$LAB_DIR/console.$1 console
	console=$(cat "$known" 2> /dev/null)
	[ -S "$console" ] || console=$(lab_vm "$1" console) || return
	echo "$console" | tee "$known"
}

lab_exec() { # [-t SECONDS] VM COMMAND: in the guest, over its console; its output and status
	local limit=$LAB_PATIENCE console
	if [ "$1" = -t ]; then
		limit=$2
		shift 2
	fi
	console=$(lab_console "$1") || return 125
	vmfork-guest-exec -t "$limit" "$console" "$2"
}
