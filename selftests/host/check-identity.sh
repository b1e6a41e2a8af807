#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module's half of a clone's identity: the gate and its agent, the generation page, secrets,
# parameters, lineage.
. "$(dirname "$0")/e2e.sh"

word=$(tr -dc "[:lower:]" < /dev/urandom | head -c 24)
secret=${word^^}
public=$(tr "[:lower:]" 01234567890123456789012345 <<< "$word")

images_have() { # TEXT: is it in a file that the daemon's processes hold, as images are? (-z: holes are no line)
	local pid fd
	for pid in $(pgrep -P "$LAB_DAEMON"); do
		for fd in /proc/"$pid"/fd/*; do
			[[ $(readlink "$fd") == *"$LAB_IMAGES"* || $(readlink "$fd") == */memfd:* ]] || continue
			! LC_ALL=C grep -zqaF -- "$1" "$fd" 2> /dev/null || return 0
		done
	done
	return 1
}

lacks() { # TEXT
	! images_have "$1"
}

agent_with() { # LINE...: the agent in the guest, with this configuration, and the time that a command has
	lab_exec ident "mkdir -p /etc/vmfork
		printf '%s\n' '[agent]' 'timeout = $LAB_PATIENCE' $(printf "'%s' " "$@") > /etc/vmfork/agent.conf
		vmfork-agent --check-config || exit 1
		vmfork-agent > /tmp/agent.log 2>&1 < /dev/null & echo \$! > /tmp/agent.pid
		until vmfork-agent --status --json | grep -q '\"agent\": *true'; do sleep 0.5; done"
}

settled() { # VM: JSON of what its agent says, when all is done
	lab_exec "$1" "until [ -e /run/vmfork/settle.json ]; do sleep 0.5; done; vmfork-agent --status --json"
}

lab_start
# a network that the host knows nothing of
own=(--qemu-arg -netdev --qemu-arg "user,id=own" --qemu-arg -device --qemu-arg "virtio-net-pci,netdev=own")
! on_xen || own=()
lab_run ident --memory "${LAB_MEMORY:-384M}" --cpus 2 --net none "${own[@]}" ||
	bail_out "the guest does not boot"
guest_tap ident uapi_test
set_clock ident
guest_tap -t 400 ident agent_test
check "no clone is left" only_vms_soon ident

lab_exec ident "echo 4 > /proc/sys/vm/nr_hugepages"
guest_tap_begin -t 300 ident "secret_test $word"
lab_wait_for 120 "the clone is there" guest_says "image can be searched" || not_ok "no clone"
check "what is no secret is in the image" images_have "$public"
check "a secret is not" lacks "$secret"
guest_interrupt
tap_replay ident secret_test < "$bg_out"

lab_exec ident "secret_test deny > /tmp/denies & echo \$! > /tmp/denier; until [ -s /tmp/denies ]; do sleep 0.1; done"
check_fails "a machine with a secret: vmforkctl fork is refused" "busy|EBUSY" vmforkctl fork ident
check "its log names the process" \
	lab_exec ident 'dmesg | grep -q "process $(cat /tmp/denier) holds a secret"'
lab_exec ident 'kill $(cat /tmp/denier)'
check "then it is forked" vmforkctl fork ident
kids() { vmforkctl ps -q | grep -vx ident; }
for vm in $(kids); do vmforkctl kill "$vm" > /dev/null 2>&1; done
check "no clone is left" only_vms_soon ident

guest_tap -t 300 ident params_test
guest_tap -t 300 ident "vmfork-e2e library"
guest_tap -t 300 ident identity_test
check "the guest is unharmed" lab_exec ident "vmfork -n 2 -- true"

# ---- where the host leaves the network to the guest
if on_xen; then
	skip "a network that the host leaves to the guest" "a Xen domain has those that vmforkd makes"
	done_testing
fi
BB=/usr/lib/vmfork/busybox
lab_exec ident "modprobe virtio_net; ip link set eth0 up; ip address add 10.0.2.99/24 dev eth0
	printf '#!/bin/sh\n[ \$1 = bound ] && ip address add \$ip/\$mask dev \$interface\n' > /tmp/lease
	chmod 755 /tmp/lease"
mac=$(lab_exec ident "cat /sys/class/net/eth0/address" | tr -d '\r')
check "an agent" agent_with "[after]" "settle = 0"
clone=$(json '.vms[0].name' fork ident)
check "its clone settles" settled "$clone"
is "its device stays down" "$(lab_exec "$clone" "cat /sys/class/net/eth0/operstate" | tr -d '\r')" down
check "the clone ends" vmforkctl kill "$clone"
check "the agent ends" lab_exec ident 'kill $(cat /tmp/agent.pid)'
check "an agent that knows how to get an address" agent_with "[network]" "without-host = dhcp" \
	"dhcp-command = $BB udhcpc -i \$VMFORK_LINK -s /tmp/lease -n -q -t 10" "[after]" "settle = 0"
clone=$(json '.vms[0].name' fork ident)
status=$(settled "$clone")
is "its clone's command succeeds" \
	"$(jq '.identity.settle[] | select(.name == "dhcp") | .result' <<< "$status")" 0
is "its address is the server's, the parent's has gone" \
	"$(lab_exec "$clone" "ip -o -4 address show dev eth0" | tr -s ' ' | cut -d' ' -f4)" 10.0.2.15/24
check "its link address is its own" \
	test "$(lab_exec "$clone" "cat /sys/class/net/eth0/address" | tr -d '\r')" != "$mac"
check "the parent has what it had" lab_exec ident \
	"ip -o -4 address show dev eth0 | grep -qF 10.0.2.99/24 && grep -qx $mac /sys/class/net/eth0/address"
done_testing
