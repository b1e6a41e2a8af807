#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vmfork-agent in a Debian guest with systemd, sshd and nginx: no program in a clone runs with its
# parent's identity, and a clone that cannot have its own does not run.
# As root in network namespaces of its own, with a bridge; else in QEMU's user-mode network.
if [ -z "${VMFORK_NET_NAMESPACE:-}" ] && [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then
	VMFORK_NET_NAMESPACE=1 exec unshare -n "$0" "$@"
fi
LAB_GUEST=${LAB_GUEST:-$(cd "$(dirname "$0")/../.." && pwd)/build/lab-services}
. "$(dirname "$0")/e2e.sh"

NET=${VMFORK_NET_NAMESPACE:+bridge}
NET=${NET:-user}
PER_MACHINE="hostname machine-id boot-id uuid urandom host-key nginx"
show=/usr/lib/vmfork/jobs/identity

value() { # KEY: of each machine in $shown, a line each: "MACHINE| KEY VALUE"
	sed -n "s/^[0-9]*| $1 //p" <<< "$shown"
}

distinct() { # KEY N: N machines have N values, none of them empty
	[ "$(value "$1" | grep -c .)" = "$2" ] && [ "$(value "$1" | sort -u | wc -l)" = "$2" ]
}

all_are() { # KEY VALUE
	[ "$(value "$1" | sort -u)" = "$2" ]
}

all_clones() { # KEY VALUE
	[ "$(value "$1" | tail -n +2 | sort -u)" = "$2" ]
}

dns_of_clones() { # what resolv.conf is, in one line
	if [ "$NET" = bridge ]; then
		echo "# by vmfork-agent search vmfork.internal nameserver 10.77.0.1 "
	else
		echo "# by vmfork-agent nameserver 10.0.2.3 "
	fi
}

in_guest() { # COMMAND: may take long
	lab_exec -t $((LAB_PATIENCE * 4)) web "$1"
}

hook() { # NAME BODY: a hook of the guest's; an empty body removes it
	in_guest "printf '#!/bin/sh\n%s\n' '$2' > /etc/vmfork/clone.d/$1; chmod 755 /etc/vmfork/clone.d/$1
		[ -n '$2' ] || rm /etc/vmfork/clone.d/$1"
}

last_json() { # of mixed output
	tr -d '\r' | grep -a '^{' | tail -n 1
}

# Where the guest's packets go: another namespace, or this machine as QEMU shows it.
make_outside() {
	ECHO=("" 127.0.0.1)
	seen=10.0.2.2
	[ "$NET" = bridge ] || return 0
	unshare -n setpriv --pdeathsig KILL sleep infinity &
	outside=$!
	lab_wait_for 10 "a second namespace" other_namespace || return
	ip link set lo up
	ip link add up0 type veth peer name out0 netns "$outside"
	ip address add 192.0.2.1/24 dev up0
	ip link set up0 up
	ip route add default via 192.0.2.2
	nsenter -t "$outside" -n ip address add 192.0.2.2/24 dev out0
	nsenter -t "$outside" -n ip link set out0 up
	ECHO=("nsenter -t $outside -n" 192.0.2.2)
	seen=192.0.2.2
}

other_namespace() {
	[ "$(readlink "/proc/$outside/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# Sends back what comes; a line for the end of each connection.
start_echo() {
	# shellcheck disable=SC2086
	${ECHO[0]} setpriv --pdeathsig KILL python3 -u -c '
import socket, sys
s = socket.create_server((sys.argv[1], 0))
print(s.getsockname()[1])
while True:
    c = s.accept()[0]
    try:
        while data := c.recv(4096):
            c.sendall(data)
        print("end")
    except OSError as e:
        print("error", e)' "${ECHO[1]}" > "$LAB_DIR/echo" &
	lab_wait_for 30 "the echo server" grep -q . "$LAB_DIR/echo"
	echo_port=$(head -n 1 "$LAB_DIR/echo")
}

echo_ended() { # one connection, ended and not reset
	[ "$(tail -n +2 "$LAB_DIR/echo")" = end ]
}

vms_are() { # N
	[ "$(vm_count)" = "$1" ]
}

lab_setup
make_outside || bail_out "no namespace to be outside in"
lab_start
# a crowded machine must not be what the tests find
lab_boot web "vmfork.shell vmfork.init=systemd systemd.default_timeout_start_sec=1800" --memory "$E2E_MEMORY" --net "$NET" ||
	bail_out "no guest"
lab_await_shell web 240 || bail_out "the guest does not boot"
check "without an agent the machine knows what it misses" \
	in_guest "vmfork --id | grep 'no agent'"
check "services, hooks and the agent start" in_guest "$show setup"
check_fails "a bad configuration is refused" "agent.conf:2:.*no value" \
	in_guest "printf '[agent]\ntimeout=x\n' > /tmp/agent.conf; vmfork-agent --check-config -c /tmp/agent.conf"
is "the agent is registered" "$(in_guest 'vmfork-agent --status --json' | jq .agent)" true

# ---- connections
start_echo
guest_tap -t 360 web "vmfork-e2e connections $seen $echo_port 2"
check "the server outside saw one orderly end" lab_wait_for 60 "the end" echo_ended

# ---- identity that cannot be completed
hook 30-bad '[ $1 = post ] || { echo no licence for $VMFORK_ID; exit 4; }'
out=$(in_guest "vmfork -n 2 --json -- echo RAN 2> /dev/null")
is "a failing hook: no user code ran" "$(grep -c 'RAN' <<< "$out")" 0
summary=$(last_json <<< "$out")
is "both clones are unidentified" "$(jq -c '[.clones[].reason] | unique' <<< "$summary")" '["unidentified"]'
check "the summary says why" grep -q 'hooks: hook 30-bad pre: status 4: no licence for 1' <<< "$summary"
check "so does the daemon's log" daemon_log_says 'hook 30-bad pre: status 4'
hook 30-bad '[ $1 = post ] || [ $VMFORK_ID != 1 ] || kill -9 $PPID'
out=$(in_guest "vmfork -n 2 --json -- echo RAN 2> /dev/null")
summary=$(last_json <<< "$out")
is "an agent that is killed while all are held takes its clone along, and no other" \
	"$(jq -c '[.clones[] | [.id, .reason]]' <<< "$summary")" '[[1,"unidentified"],[2,"exited"]]'
is "only the other ran" "$(grep -ac 'RAN' <<< "$out")" 1
hook 30-bad ''
check "the parent's agent lives" in_guest "systemctl is-active vmfork-agent"

# ---- a checkpoint that is cloned hours later
check "five hours ago" in_guest "date -s '-5 hours'; systemctl start herd.timer control.timer"
check "a checkpoint" vmforkctl checkpoint web old
name=$(json '.vms[0].name' clone old)
check "its clone has settled" lab_exec -t $((LAB_PATIENCE * 4)) "$name" "$show show"
now=$(lab_exec "$name" "date +%s")
check "its clock is right" test $(($(date +%s) - now)) -lt 300
[ "$NET" = user ] || is "its link address is what the host says" \
	"$(lab_exec "$name" "cat /sys/class/net/e*/address" | tr -d '\r')" "$(lab_vm "$name" net.mac)"
[ "$NET" = user ] || is "and its address" "$(lab_exec "$name" "vmfork-agent --status --json" | jq -r .identity.address)" \
	"$(lab_vm "$name" net.address)"
is "a timer that was due did not fire" \
	"$(lab_exec "$name" "ls /run/*-ran" | tr -d '\r')" /run/control-ran
check "later it would" lab_exec "$name" \
	"while [ -e /run/vmfork/settling ]; do sleep 0.5; done; systemctl start herd.service; ls /run/herd-ran"
check "the clone ends" vmforkctl kill "$name"
check "the checkpoint goes" vmforkctl checkpoint rm old
check "now again" in_guest "date -s @$(date +%s)"

# ---- units that pre-clone a service
check "nginx is pre-cloned" in_guest "systemctl start vmfork-clones@nginx"
check "its clones are there" lab_wait_for 240 "two clones" vms_are 3
for name in $(json '.vms[] | select(.parent != 0 and .parent != "0") | .name' ps); do
	check "$name: nginx answers" lab_exec -t $((LAB_PATIENCE * 4)) "$name" \
		"$show show | grep '^nginx .'"
done
check "the unit stops" in_guest "systemctl stop vmfork-clones@nginx"
check "its clones are gone" only_vms_soon web
# ---- who am I, in the parent and in two clones
parent=$(in_guest "$show show" | tr -d '\r')
shown=$(in_guest "vmfork -n 2 -- $show show 2> /dev/null" | tr -d '\r')
diag "$shown"
shown=$(sed 's/^/0| /' <<< "$parent")$'\n'$(sort -s -t '|' -k 1,1n <<< "$shown")	# the clones' lines come as they come
for key in $PER_MACHINE; do
	check "parent and clones differ in: $key" distinct "$key" 3
done
if [ "$NET" = bridge ]; then
	check "... and in their link address" distinct mac 3
	check "... and in their address" distinct address 3
fi
check "each machine resolves its own name" all_are hosts yes
is "pid 1 knows the new machine-id" "$(value pid1-machine-id)" "$(value machine-id)"
is "it is on the disk" "$(value machine-id-on-disk)" "$(value machine-id)"
is "the parent's server of names is its own" "$(value resolv | head -n 1)" "nameserver 192.0.2.53 "
check "clones ask the host's" all_clones resolv "$(dns_of_clones)"
is "the journal goes on under it" "$(value journal | sort -u)" 1
is "no step failed" "$(value steps | sort -u)" 0
is "control: a service that is not on the list repeats itself in clones" \
	"$(value twin | tail -n 2 | sort -u | wc -l)" 1
for id in 1 2; do
	name=$(sed -n "s/^$id| hostname //p" <<< "$shown")
	is "hooks of clone $id, in order" "$(sed -n "s/^$id| hooks //p" <<< "$shown")" \
		"10-first pre $id $name,20-second pre $id $name,10-first post $id $name,20-second post $id $name,"
	check "a udev rule was told of clone $id" grep -qE \
		"^$id\| udev clone $id of machine $(lab_vm web handle), generation [0-9]+" <<< "$shown"
done
again=$(in_guest "$show show" | tr -d '\r')
for key in hostname machine-id boot-id host-key; do
	is "the parent keeps its $key" "$(grep "^$key " <<< "$again")" "$(grep "^$key " <<< "$parent")"
done

# ---- what is not the default: a given ssh key, a machine-id that is mounted, resolv.conf as it was
check "the agent with other options" in_guest "$show options"
given=$(in_guest "cut -d' ' -f2 /root/given.pub" | tr -d '\r')
shown=$(sed 's/^/0| /' <<< "$again")$'\n'$(in_guest "vmfork --params /root/keys.json -- $show show 2> /dev/null" | tr -d '\r')
diag "$shown"
is "the clone has the key that it was given" "$(value host-key | tail -n 1)" "$given"
is "it has no other" "$(value host-keys | tail -n 1)" "ssh_host_ed25519_key ssh_host_ed25519_key.pub"
check "its machine-id is its own" distinct machine-id 2
is "pid 1 knows it" "$(value pid1-machine-id)" "$(value machine-id)"
check "the one on its disk is its parent's" all_are machine-id-on-disk "$(value machine-id | head -n 1)"
check "so is its server of names" all_are resolv "nameserver 192.0.2.53 "
is "no step failed" "$(value steps | sort -u)" 0
out=$(in_guest "vmfork --json -- echo RAN 2> /dev/null")
is "a clone without a key does not run" "$(grep -c 'RAN' <<< "$out")" 0
is "and it is said what it lacks" "$(last_json <<< "$out" | jq -r '.clones[0] | .reason + ": " + .why')" \
	"unidentified: ssh-keys: the parameters have no ssh_host_keys"

done_testing
