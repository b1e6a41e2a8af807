# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034	# the suites use these
# What the end-to-end suites share, on top of the lab: a guest's TAP as part of the suite's own,
# processes of the daemon, and the JSON of vmforkctl.
#
#	lab_start
#	lab_run web --memory 256M
#	guest_tap web "vmfork-e2e fidelity 8"
#	done_testing

# shellcheck source=selftests/lab/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

# Under KVM in the nested lab there is little memory: LAB_MEMORY is that of every guest there.
E2E_MEMORY=${LAB_MEMORY:-512M}
# Where a page takes a millisecond and a machine's start seconds, fewer of them.
E2E_MIB=${E2E_MIB:-64}
E2E_CLONES=${E2E_CLONES:-32}
bg_pid='' bg_out='' bg_vm='' bg_what=''

# ---- TAP of a guest

tap_replay() { # VM WHAT: reads a guest's TAP from stdin, counts it as this suite's
	local line plan='' seen=0 vm=$1 what=$2
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		"ok "*) seen=$((seen + 1)); ok "$vm: ${line#ok * - }" ;;
		"not ok "*) seen=$((seen + 1)); not_ok "$vm: ${line#not ok * - }" ;;
		"1.."*) plan=${line#1..} ;;
		"") ;;
		*) diag "${line#\# }" ;;
		esac
	done
	[ "$plan" = "$seen" ] && return
	not_ok "$vm: $what went to its end ($seen results, plan '$plan')"
	guest_last_words "$vm"
}

guest_last_words() { # VM: why a test may have broken off, if it ran in a machine
	lab_vm "$1" log > /dev/null 2>&1 || return 0
	diag "$1's kernel, $(lab_vm "$1" state):"
	diag "$(lab_exec -t "$LAB_PATIENCE" "$1" "dmesg | tail -n 15" 2>&1 || tail -n 15 "$(lab_log "$1")")"
}

# SECONDS are for LAB_PATIENCE=120, as those of lab_wait_for.
guest_tap() { # [-t SECONDS] VM COMMAND: each result in the guest is one here
	local limit=$LAB_PATIENCE
	if [ "$1" = -t ]; then
		limit=$(($2 * LAB_PATIENCE / 120))
		shift 2
	fi
	diag "$1: $2"
	tap_replay "$1" "$2" < <(lab_exec -t "$limit" "$1" "export E2E_TIMEOUT=$((limit - 10)); $2" 2>&1)
}

# guest_tap_begin [-t SECONDS] VM COMMAND ... guest_tap_end: the host's side acts in between
guest_tap_begin() {
	local limit=$LAB_PATIENCE
	if [ "$1" = -t ]; then
		limit=$(($2 * LAB_PATIENCE / 120))
		shift 2
	fi
	bg_vm=$1 bg_what=$2 bg_out=$LAB_DIR/tap.$RANDOM
	diag "$1: $2 (in the background)"
	# in the background a shell has SIGINT ignored
	env --default-signal=INT vmfork-guest-exec -t "$limit" "$(lab_console "$1")" \
		"export E2E_TIMEOUT=$((limit - 10)); $2" > "$bg_out" 2>&1 &
	bg_pid=$!
}

guest_interrupt() { # Ctrl-C for the command in the background; waits for its end
	kill -INT "$bg_pid"
	wait "$bg_pid"
}

guest_says() { # PATTERN: has the command in the background said it?
	grep -qE -- "$1" "$bg_out"
}

guest_says_times() { # N PATTERN
	[ "$(grep -cE -- "$2" "$bg_out")" = "$1" ]
}

guest_wait() { # until it ends, or its console does
	wait "$bg_pid"
}

guest_ended() {
	! kill -0 "$bg_pid" 2> /dev/null
}

guest_tap_end() {
	wait "$bg_pid"
	tap_replay "$bg_vm" "$bg_what" < "$bg_out"
}

# A root's clock is of its boot, and wrong by seconds where that was slow; set late, it is
# behind the host's by no more than the console is slow, and never ahead.
set_clock() { # VM
	lab_exec "$1" "date -s @$(date +%s)" > /dev/null
}

# The agent, registered; it has the time for a clone that a command has.
start_agent() { # VM
	lab_exec "$1" "mkdir -p /etc/vmfork
		printf '[agent]\ntimeout = $LAB_PATIENCE\n' > /etc/vmfork/agent.conf
		vmfork-agent --check-config || exit 1
		vmfork-agent > /tmp/agent.log 2>&1 < /dev/null &
		until vmfork-agent --status --json | grep -q '\"agent\": *true'; do sleep 0.5; done"
}

# ---- vmforkctl

json() { # FILTER [VMFORKCTL-ARGUMENT]...: jq's answer
	local filter=$1
	shift
	vmforkctl --json "$@" | jq -er "$filter"
}

vm_count() { # how many VMs are listed
	json '.vms | length' ps
}

only_vms() { # NAME...: exactly these are there
	[ "$(vmforkctl ps -q | sort | tr '\n' ' ')" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ]
}

only_vms_soon() { # NAME...
	lab_wait_for 60 "only $* are left" only_vms "$@" || {
		vmforkctl ps -a
		return 1
	}
}

kill_all() { # every VM; the daemon stays
	local vm
	for vm in $(vmforkctl ps -q); do
		vmforkctl kill "$vm" > /dev/null 2>&1 || true
	done
	lab_wait_for 60 "all VMs are gone" json '.vms | length == 0' ps
}

daemon_log_says() { # PATTERN
	grep -qE -- "$1" "$LAB_DIR/vmforkd.log"
}

# ---- a server on this machine, which a guest with --net user sees at 10.0.2.2

echo_start() { # sends datagrams back, and writes down what they say
	setpriv --pdeathsig KILL python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])
while True:
    data, who = s.recvfrom(2048)
    print(data.decode(errors="replace"))
    s.sendto(data, who)' > "$LAB_DIR/datagrams" &
	lab_wait_for 30 "the echo server" grep -q . "$LAB_DIR/datagrams" &&
		ECHO_PORT=$(head -n 1 "$LAB_DIR/datagrams")
}

echo_network() { # VM: gives a root machine its address
	lab_exec "$1" "modprobe virtio_net; ip link set eth0 up && ip address add 10.0.2.15/24 dev eth0"
}

echo_heard() { # TEXT: how often
	grep -cx -- "$1" "$LAB_DIR/datagrams"
}

echo_command() { # TEXT: for a guest's shell; prints what comes back
	echo "timeout 20 bash -c 'exec 3<> /dev/udp/10.0.2.2/$ECHO_PORT; echo $1 >&3; head -n 1 <&3'"
}

echo_answers() { # VM TEXT: its network works
	[ "$(lab_exec "$1" "$(echo_command "$2")" | tr -d '\r')" = "$2" ]
}

# ---- processes

child_of_daemon() { # PATTERN: the pid of the keeper's child whose command line has it
	pgrep -P "$LAB_DAEMON" -f -- "$1" | head -n 1
}

another_child() { # PATTERN OLD-PID: the keeper has a new one
	local pid
	pid=$(child_of_daemon "$1")
	[ -n "$pid" ] && [ "$pid" != "$2" ]
}

control_pid() {
	child_of_daemon control-role
}

kill_control() { # SIGKILL; returns when the next one answers
	local pid
	pid=$(control_pid)
	[ -n "$pid" ] || return 1
	kill -KILL "$pid"
	lab_wait_for 60 "a new control role" another_child control-role "$pid" &&
		lab_wait_for 60 "vmforkd answers" lab_answers
}

kill_pager() {
	local pid
	pid=$(child_of_daemon vmfork-pager)
	[ -n "$pid" ] || return 1
	kill -KILL "$pid"
	lab_wait_for 60 "a new pager" another_child vmfork-pager "$pid"
}
