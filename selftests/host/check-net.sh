#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Networks of families: bridge and taps, addresses, names, what may pass, and what is left.
# All of it in network namespaces of its own: this one is the host, another is what is outside.
# Xen's devices are in the initial namespace: there it takes XEN_LAB=1, a host with nothing to lose.
if [ -z "${VMFORK_NET_NAMESPACE:-}" ] && [ "$(id -u)" = 0 ] && [ "${LAB_BACKEND:-}" != xen ]; then
	VMFORK_NET_NAMESPACE=1 exec unshare -n "$0" "$@"
fi
. "$(dirname "$0")/e2e.sh"

[ "$(id -u)" = 0 ] || skip_all "bridges need root"
on_xen || [ -c /dev/net/tun ] || skip_all "no /dev/net/tun"	# Xen has no taps
! on_xen || [ -n "${XEN_LAB:-}" ] || skip_all "Xen's network devices are in this host's own namespace"
BB=/usr/lib/vmfork/busybox
HOST=192.0.2.1 OUTSIDE=192.0.2.2
outside=''

# ---- what is around the host

in_outside() { # COMMAND...
	nsenter -t "$outside" -n "$@"
}

serve() { # ADDRESS TEXT [COMMAND-PREFIX]...: tells TEXT to all who connect, logs who they are
	local address=$1 text=$2
	shift 2
	"$@" setpriv --pdeathsig KILL python3 -u -c '
import socket, sys
s = socket.create_server((sys.argv[1], 8080))
print("ready")
while True:
    c, peer = s.accept()
    print("from", peer[0])
    c.sendall(sys.argv[2].encode() + b"\n")
    c.close()' "$address" "$text" > "$LAB_DIR/served.$address" 2>&1 &
	lab_wait_for 30 "a server at $address" grep -q ready "$LAB_DIR/served.$address"
}

make_outside() {
	unshare -n setpriv --pdeathsig KILL sleep infinity &
	outside=$!
	lab_wait_for 10 "a second namespace" other_namespace || return
	ip link set lo up
	ip link add up0 type veth peer name out0 netns "$outside"
	ip address add "$HOST/24" dev up0
	ip link set up0 up
	ip route add default via "$OUTSIDE"
	in_outside ip link set lo up
	in_outside ip address add "$OUTSIDE/24" dev out0
	in_outside ip link set out0 up
	# who is outside knows the way, and is to be kept out all the same
	in_outside ip route add 10.77.0.0/16 via "$HOST"
	serve "$OUTSIDE" outside nsenter -t "$outside" -n && serve 0.0.0.0 host
}

other_namespace() {
	[ "$(readlink "/proc/$outside/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# ---- in guests

dhcp() { # VM: its device gets its own MAC address, and the IP address by DHCP
	lab_exec "$1" "$(cat <<- GUEST
		modprobe virtio_net
		ip link set eth0 down
		ip address flush dev eth0
		ip link set eth0 address $(lab_vm "$1" net.mac) up
		cat > /tmp/lease <<- 'LEASE'
			#!/bin/sh
			[ "\$1" = bound ] || exit 0
			ip address add "\$ip/\$mask" dev eth0
			ip route replace default via "\$router"
			echo "nameserver \$dns" > /etc/resolv.conf
			echo "search \$domain" >> /etc/resolv.conf
		LEASE
		chmod +x /tmp/lease
		$BB udhcpc -i eth0 -s /tmp/lease -n -q -t 10 -T 1
	GUEST
	)"
}

guest_ping() { # VM ADDRESS
	lab_exec "$1" "$BB ping -c 1 -W 5 $2"
}

guest_no_ping() { # VM ADDRESS: nothing comes back
	! lab_exec "$1" "$BB ping -c 2 -W 1 $2"
}

told() { # VM ADDRESS: what the server there says
	lab_exec "$1" "$BB nc -w 5 $2 8080 < /dev/null"
}

guest_is_told() { # VM ADDRESS TEXT
	[ "$(told "$1" "$2")" = "$3" ]
}

guest_is_not_told() { # VM ADDRESS: what the host's server says
	[ "$(told "$1" "$2")" != host ]
}

resolves() { # VM NAME ADDRESS
	[ "$(lab_exec "$1" "getent ahostsv4 $2" | awk 'NR == 1 { print $1 }')" = "$3" ]
}

not_resolved() { # VM NAME
	[ -z "$(lab_exec "$1" "getent ahostsv4 $2")" ]
}

# ---- the host's side

address() { # VM
	lab_vm "$1" net.address
}

tap_of() { # VM
	echo "vft0.$(lab_vm "$1" net.index)"
}

links_are() { # STATE VM...
	local state=$1 vm
	shift
	for vm in "$@"; do
		[ "$(lab_vm "$vm" net.link)" = "$state" ] || return
	done
}

tap_is_down() { # TAP
	ip -o link show dev "$1" | grep -q '<BROADCAST,MULTICAST>'
}

host_ping() { # ADDRESS: from the host, by a guest's tool
	busybox ping -c 1 -W 5 "$1"
}

# Nobody else asks for it: the parent's own frames, from the same addresses, are not counted.
NOBODY=10.77.0.99

frames_on() { # MAC ADDRESS: counts ARP requests for NOBODY from these on the bridge until SIGTERM
	exec python3 -u - "$@" "$NOBODY" <<- 'PYTHON'
		import signal, socket, sys
		def end(*_):
		    print(n)
		    sys.exit(0)
		mac, n = bytes.fromhex(sys.argv[1].replace(":", "")), 0
		address, wanted = socket.inet_aton(sys.argv[2]), socket.inet_aton(sys.argv[3])
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
		s.bind(("vfb0", 0))
		signal.signal(signal.SIGTERM, end)
		print("ready")
		while True:
		    f = s.recv(2048)
		    n += f[6:14] == mac + b"\x08\x06" and f[28:32] == address and f[38:42] == wanted
	PYTHON
}

frames_while() { # MAC ADDRESS VM COMMAND: how many, while the guest does something
	local out=$LAB_DIR/frames
	frames_on "$1" "$2" > "$out" &
	lab_wait_for 60 "frames are listened for" grep -q ready "$out"
	lab_exec "$3" "$4" > /dev/null 2>&1
	sleep 1
	kill -TERM $!
	wait $!
	tail -n 1 "$out"
}

count_announcements() { # VM: from now on, of its address by others: ARP of the guest's, RARP of QEMU's
	nft add table bridge announced
	nft add chain bridge announced seen '{ type filter hook prerouting priority -500; }'
	nft add rule bridge announced seen iifname != "$(tap_of "$1")" ether saddr "$(lab_vm "$1" net.mac)" \
		ether type '{ arp, 0x8035 }' counter
}

announcements() {
	nft list chain bridge announced seen | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'
	nft delete table bridge announced
}

no_network_left() { # neither bridge nor tap, table nor dnsmasq
	! ip -o link | grep -E ': vf[bt]' && [ -z "$(nft list tables)" ] &&
		[ -z "$(child_of_daemon dnsmasq)" ] && [ ! -e "$LAB_DIR/run/net" ] &&
		[ "$(cat /proc/sys/net/ipv4/conf/up0/forwarding)" = 0 ]
}

fork_of() { # VM N
	vmforkctl fork "$1" -n "$2" > /dev/null
}

lab_setup
make_outside || bail_out "no namespace to be outside in"

# ---- without the privilege
setpriv --bounding-set -net_admin "$LAB_VMFORKD" --runtime-dir "$LAB_DIR/run/poor" --lib-dir "$LAB_DIR/lib" \
	--image-dir "$LAB_IMAGES" --die-with-parent --user vmfork 2> "$LAB_DIR/poor.log" &
poor=$!
lab_wait_for 30 "an unprivileged vmforkd" vmforkctl --socket "$LAB_DIR/run/poor/control.sock" ps
other=user	# what takes no privilege
! on_xen || other=none
check_fails "without CAP_NET_ADMIN a bridge is refused, and '$other' is named" "CAP_NET_ADMIN.*'$other'" \
	vmforkctl --socket "$LAB_DIR/run/poor/control.sock" run x --kernel "$LAB_KERNEL" --net bridge
kill "$poor"
wait "$poor"

# ---- a root VM
lab_start
lab_run web --memory "$E2E_MEMORY" --net bridge || bail_out "the guest does not boot"
check "the root VM gets an address by DHCP" dhcp web
check "and has the one that vmforkd says" lab_exec web "ip -o -4 address show dev eth0 | grep -F $(address web)/23"
check "it reaches its gateway" guest_ping web 10.77.0.1
check "the host reaches it" host_ping "$(address web)"
check "its name resolves" resolves web web "$(address web)"
check "and in the domain" resolves web web.vmfork.internal "$(address web)"
check "it reaches what is outside" guest_is_told web "$OUTSIDE" outside
check "with the host's address" grep -q "^from $HOST" "$LAB_DIR/served.$OUTSIDE"
is "the host has a service" "$(bash -c "cat < /dev/tcp/$HOST/8080")" host
check "it reaches no service of the host" guest_is_not_told web 10.77.0.1
check "nor by another address of the host" guest_is_not_told web "$HOST"
check "who is outside does not reach it" \
	bash -c "! nsenter -t $outside -n busybox ping -c 2 -W 1 $(address web)"
is "forwarding is on on the uplink only" \
	"$(cat /proc/sys/net/ipv4/conf/{all,lo,up0}/forwarding | tr '\n' ' ')" "0 0 1 "

# ---- clones without agent: shut
check "two clones" fork_of web 2
is "their links are shut" "$(lab_vm web.1.1 net.link), $(lab_vm web.1.2 net.link)" \
	"shut: no agent, shut: no agent"
check "their taps are down" tap_is_down "$(tap_of web.1.1)"
check "the log says why" daemon_log_says 'web.1.1: no agent in the guest: its network stays shut'
is "nothing of a clone that is shut is seen" \
	"$(frames_while "$(lab_vm web net.mac)" "$(address web)" web.1.1 "$BB arping -c 3 -I eth0 $NOBODY")" 0
check "the parent is reached as before" guest_ping web 10.77.0.1
check "a restarted vmforkd knows" kill_control
is "that the link is shut" "$(lab_vm web.1.1 net.link)" "shut: no agent"
check "the parent is still reached" guest_ping web 10.77.0.1
check "its name is still resolved" resolves web web "$(address web)"

# ---- clones with an agent: opened when it has reported
check "an agent in the guest" start_agent web
check "two clones" fork_of web 2
check "their links are opened" lab_wait_for 120 "reports" links_are up web.2.1 web.2.2
for vm in web.2.1 web.2.2; do
	check "$vm has its own MAC address" lab_exec "$vm" "ip -o link show dev eth0 | grep -F $(lab_vm $vm net.mac)"
	check "... IP address" lab_exec "$vm" "ip -o -4 address show dev eth0 | grep -F ' $(address $vm)/23'"
	is "... and name" "$(lab_exec $vm hostname)" "${vm//./-}"
done
check "a clone reaches its sibling" guest_ping web.2.1 "$(address web.2.2)"
check "its gateway" guest_ping web.2.1 10.77.0.1
check "what is outside" guest_is_told web.2.2 "$OUTSIDE" outside
check "and its parent, by its name" guest_ping web.2.2 web
check "the parent reaches clone2" guest_ping web clone2
is "a restarted vmforkd leaves the links as they were" \
	"$(kill_control > /dev/null 2>&1; for vm in web.1.1 web.2.1; do lab_vm $vm net.link; done | tr '\n' ' ')" "shut: no agent up "
check "a clone still reaches its sibling" guest_ping web.2.1 "$(address web.2.2)"
check "vmforkctl ps shows addresses and links" bash -c \
	"vmforkctl ps | grep -E '^web\.2\.1 .* $(address web.2.1) +up\$' && vmforkctl ps | grep -E '^web\.1\.1 .* shut\$'"
check "a clone that may not speak has an address of its own all the same, and forks" \
	lab_exec -t $((LAB_PATIENCE * 2)) web "vmfork --sandbox -- vmfork -- true"
kill_all
check "with the last machine of a family its network goes" lab_wait_for 30 "nothing left" no_network_left

# ---- clones that may speak
lab_stop
lab_start --net-without-agent open
lab_run web --memory "$E2E_MEMORY" --net bridge || bail_out "the guest does not boot"
check "a root VM" dhcp web
count_announcements web
check "two clones" fork_of web 2
for vm in web.1.1 web.1.2; do lab_exec "$vm" "sleep 2"; done
is "no clone announces its parent's address" "$(announcements)" 0
is "a clone that uses its parent's address is not heard" \
	"$(frames_while "$(lab_vm web net.mac)" "$(address web)" web.1.1 "$BB arping -c 3 -I eth0 $NOBODY")" 0
check "the filter has counted that" \
	bash -c "nft list chain bridge vfb0 prerouting | grep -E 'counter packets [1-9][0-9]* .*drop'"
check "the parent is reached all the same" guest_ping web 10.77.0.1
check "clone 1 takes its own addresses" dhcp web.1.1
check "clone 2 takes its own addresses" dhcp web.1.2
is "addresses all differ" "$(for vm in web web.1.1 web.1.2; do address $vm; lab_vm $vm net.mac; done | sort -u | wc -l)" 6
check "a clone reaches its gateway" guest_ping web.1.1 10.77.0.1
check "a clone reaches its sibling" guest_ping web.1.1 "$(address web.1.2)"
check "a clone reaches its parent" guest_ping web.1.2 "$(address web)"
check "a clone reaches what is outside" guest_is_told web.1.2 "$OUTSIDE" outside
check "clone1 resolves in the parent" resolves web clone1 "$(address web.1.1)"
check "clone2 resolves in its sibling" resolves web.1.1 clone2.vmfork.internal "$(address web.1.2)"
check "so does the whole name" resolves web.1.1 web.1.2 "$(address web.1.2)"
check "and as one label" resolves web.1.1 web-1-2 "$(address web.1.2)"
own_mac=$(lab_vm web.1.1 net.mac)
frames=$(frames_while "$own_mac" "$(address web.1.1)" web.1.1 "$BB arping -c 3 -I eth0 $NOBODY")
check "with its own address it is heard ($frames frames)" [ "$frames" -gt 0 ]
is "with its sibling's IP address it is not" "$(frames_while "$own_mac" "$(address web.1.2)" web.1.1 \
	"ip address add $(address web.1.2)/32 dev eth0; $BB arping -c 3 -s $(address web.1.2) -I eth0 $NOBODY;
	ip address del $(address web.1.2)/32 dev eth0")" 0

# ---- another family
lab_run other --memory "$E2E_MEMORY" --net bridge || bail_out "the second guest does not boot"
check "another family has a network of its own" dhcp other
is "and its own bridge" "$(lab_vm other net.bridge)" vfb1
check "its gateway answers" guest_ping other 10.77.2.1
check "it is not reached from the first one" guest_no_ping web "$(address other)"
check "nor the other way" guest_no_ping other "$(address web.1.1)"
check "nor is the other's gateway" guest_no_ping other 10.77.0.1
check "names are not resolved across families" not_resolved other clone1
vmforkctl kill other > /dev/null
check "its bridge goes with it" lab_wait_for 30 "vfb1 goes" bash -c '! ip link show dev vfb1'

# ---- what may die
check "the control role is killed" kill_control
check "the clone still reaches its sibling" guest_ping web.1.1 "$(address web.1.2)"
check "and what is outside" guest_is_told web.1.1 "$OUTSIDE" outside
old=$(child_of_daemon dnsmasq)
kill -KILL "$old"
check "dnsmasq is started again" lab_wait_for 30 "a new dnsmasq" another_child dnsmasq "$old"
check "and knows the clones" lab_wait_for 30 "an answer" resolves web clone1 "$(address web.1.1)"
check "a fork goes on counting" fork_of web 1
is "and its clone has a place of its own" "$(lab_vm web.2.1 net.index)" 3
check "clone1 is that of the newest fork" lab_wait_for 30 "its name" resolves web clone1 "$(address web.2.1)"
vmforkctl kill web.2.1 > /dev/null
check "and the older one's again when it has ended" \
	lab_wait_for 30 "its name" resolves web clone1 "$(address web.1.1)"

# ---- the keeper is killed: the next vmforkd cleans up
kill -KILL "$LAB_DAEMON"
wait "$LAB_DAEMON" 2> /dev/null
check "the keeper's end leaves a bridge" ip link show dev vfb0
check "but no tap" lab_wait_for 30 "they go" bash -c '! ip -o link | grep -E ": vft"'
LAB_DAEMON=
lab_start
check "the next vmforkd removes it" lab_wait_for 30 "nothing left" no_network_left

# ---- the network that needs no privilege
if on_xen; then
	check_fails "QEMU's user-mode network is refused" "'user' is QEMU's own" lab_boot plain "" --net user
	done_testing
fi
lab_run plain --memory "$E2E_MEMORY" --net user || bail_out "the guest does not boot"
check "a clone in QEMU's user-mode network" fork_of plain 1
check "has its link when it runs" lab_exec plain.1.1 \
	"modprobe virtio_net; ip link set eth0 up; $BB udhcpc -i eth0 -s /bin/true -n -q -t 10 -T 1"
done_testing
