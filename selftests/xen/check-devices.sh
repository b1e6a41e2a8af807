#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks of a Xen domain with a disk and a network device: one small guest for all of it. check-disk and check-net
# of selftests/host have more, and take a whole Debian for it.
. "$(dirname "$0")/xen.sh"

base_sum() {
	dd if="$LAB_DATA" bs=1M status=none | sha256sum
}

# There is always one file with a name, whenever it is forked, and never many.
# shellcheck disable=SC2016	# the guest expands it
LOAD='i=0; touch /tmp/loading; while [ -e /tmp/load ]; do
	i=$((i + 1)); dd if=/dev/urandom of=/var/tmp/new bs=16k count=$((i % 8 + 1)) conv=fsync 2> /dev/null
	last=/var/tmp/sum.$(cksum < /var/tmp/new | tr " " .); mv /var/tmp/new "$last"; [ $((i % 16)) != 0 ] ||
		for f in /var/tmp/sum.*; do [ "$f" = "$last" ] || rm -f "$f"; done
done; rm /tmp/loading'

# What has a name was synced, and its name says what is in it.
load_is_whole() { # VM
	# shellcheck disable=SC2016
	lab_exec "$1" 'rm -f /tmp/load; while [ -e /tmp/loading ]; do sleep 0.1; done; sync; echo 3 > /proc/sys/vm/drop_caches; n=0
		for f in /var/tmp/sum.*; do
			[ "${f#*/sum.}" = "$(cksum < "$f" | tr " " .)" ] || { echo "$f is broken"; exit 1; }
			n=$((n + 1))
		done
		echo "$n files"; [ "$n" -gt 0 ] && ! dmesg | grep -iE "ext4.*error|I/O error"'
}

writes_and_reads() { # VM
	lab_exec "$1" "echo of $1 > /var/tmp/mine; sync; echo 3 > /proc/sys/vm/drop_caches; grep -x 'of $1' /var/tmp/mine"
}

links_up() { # VM...
	local vm
	for vm in "$@"; do
		[ "$(lab_vm "$vm" net.link)" = up ] || return
	done
}

guest_ping() { # VM ADDRESS
	lab_exec "$1" "ping -c 1 -W 5 $2"
}

address() { # VM
	lab_vm "$1" net.address
}

qemu_of() { # VM: the process that serves its disk
	pgrep -P "$(pgrep -P "$(lab_vm "$1" pid)")"
}

net=(--net bridge)
if [ -z "${XEN_LAB:-}" ]; then
	net=()
	skip "network devices" "they are in this host's own namespace: set XEN_LAB=1 where that does no harm"
fi
lab_start
before=$(base_sum)
{ lab_boot web "vmfork.shell vmfork.devices" --memory 128M --disk "$LAB_DATA,format=raw" "${net[@]}" &&
	lab_await_shell web; } || bail_out "the guest does not boot"

# ---- a disk
check "its disk is xvda" lab_exec web "mount -t ext4 /dev/xvda /var/tmp && touch /var/tmp/before && sync"
guest_tap -t 300 web "vmfork-e2e disk 2 4"
check "no clone is left" only_vms_soon web

# ---- forks under load, of the network device, too
if [ "${#net[@]}" != 0 ]; then
	check "it has its address" lab_exec web "ip address add $(address web)/23 dev eth0 && ip link set eth0 up"
	check "the host reaches it" lab_wait_for 30 "an answer" busybox ping -c 1 -W 5 "$(address web)"
	check "an agent in the guest" start_agent web
fi
check "it writes and syncs" lab_exec web "touch /tmp/load; sh -c '$LOAD' > /dev/null 2>&1 & sleep 3"
names=$(json '.vms[].name' fork web -n 2)
for vm in web $names; do
	check "$vm: what was written under load is whole" load_is_whole "$vm"
	check "$vm writes a file of its own" writes_and_reads "$vm"
done
is "what was there before is in all" "$(for vm in web $names; do lab_exec "$vm" "ls /var/tmp/before"; done | tr -d '\r' | sort | uniq -c | tr -s ' ')" \
	" 3 /var/tmp/before"
if [ "${#net[@]}" != 0 ]; then
	# shellcheck disable=SC2086
	check "the clones' links are opened" lab_wait_for 120 "reports" links_up $names
	for vm in $names; do
		check "$vm has its own MAC address" lab_exec "$vm" "ip link show dev eth0 | grep -F $(lab_vm "$vm" net.mac)"
		check "... and IP address" lab_exec "$vm" "ip address show dev eth0 | grep -F ' $(address "$vm")/23'"
		check "... and reaches its parent" guest_ping "$vm" "$(address web)"
		check "the host reaches $vm" busybox ping -c 1 -W 5 "$(address "$vm")"
	done
	check "the parent reaches its gateway as before" guest_ping web 10.77.0.1
fi

# ---- what may die
first=$(head -n 1 <<< "$names") second=$(tail -n 1 <<< "$names")
check "vmforkd is killed and finds its domains" kill_control
for vm in web "$first"; do
	check "$vm writes and reads" writes_and_reads "$vm"
done
kill -KILL "$(qemu_of "$first")"
check "a clone ends with the process that served its disk" only_vms_soon web "$second"
check "and so does its domain" domains_soon 2
check "the other writes and reads" writes_and_reads "$second"
check "the parent is forked again" lab_exec -t $((LAB_PATIENCE * 2)) web "vmfork -- grep -x 'of web' /var/tmp/mine"
check "everything ends" kill_all
is "the base image is unchanged" "$(base_sum)" "$before"
check "no domain, no device is left" no_domain_no_device
done_testing
