#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No space: for images, on a small tmpfs; for the overlays of disks, on another.
# The small file systems are mounted in a namespace of this suite's own, which ends with it.
if [ -z "${E2E_NAMESPACE:-}" ]; then
	if ! unshare -m true 2> /dev/null; then
		echo "1..0 # SKIP mounting a small tmpfs takes root"
		exit 0
	fi
	E2E_NAMESPACE=1 exec unshare -m --propagation private "$0" "$@"
fi
. "$(dirname "$0")/e2e.sh"

unmount() {
	umount -l "$LAB_IMAGES" "$LAB_DIR/overlays" 2> /dev/null
}

leave() { # STATUS
	unmount
	(exit "$1")
	lab_exit
}

test_state() { # STATE
	[ "$(lab_vm web state)" = "$1" ]
}

fill() { # FILE: takes all the space that is left
	head -c 1G /dev/zero > "$1" 2> /dev/null
}

lab_setup
trap 'leave $?' EXIT
mkdir "$LAB_DIR/overlays"
mount -t tmpfs -o size=4m,mode=1777 vmfork-small "$LAB_IMAGES"
mount -t tmpfs -o size=64m,mode=1777 vmfork-small "$LAB_DIR/overlays"
export VMFORK_OVERLAY_DIR=$LAB_DIR/overlays
lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"

# The image holds 4 MiB: what does not fit is given to each clone alone.
guest_tap -t 300 web "vmfork-e2e fidelity 2 16"
check "the log says that the image is full" daemon_log_says "full|[Nn]o space|ENOSPC"
check "the VM is unharmed" lab_exec web true

# Not a byte left for the overlays of disks.
fill "$VMFORK_OVERLAY_DIR/filler"
check_fails "fork from the host with no space for the disk" "[Nn]o space" vmforkctl fork web
check_fails "fork in the guest with no space for the disk" "no space left" lab_exec web "vmfork -- true"
check "the VM is unharmed" lab_exec web true

# A guest that writes what there is no room for: it stands still, and goes on when there is.
vmforkctl --json watch > "$LAB_DIR/watch" &
watch=$!
guest_tap_begin web 'dd if=/dev/urandom of=/var/tmp/much bs=1M count=24 conv=fsync 2> /dev/null; cksum < /var/tmp/much > /tmp/sum; echo 1..0'
check "a guest that fills its disk stands still" lab_wait_for 120 io-error test_state io-error
check "ps says why" sh -c "vmforkctl ps | grep 'web stands still.*No space left'"
check_fails "it cannot be forked, and why" "stands still.*No space left" vmforkctl fork web
sleep 3	# a look or two, with no room
check "it goes on standing still" test_state io-error
rm "$VMFORK_OVERLAY_DIR/filler"
check "with space again, it goes on" lab_wait_for 120 running test_state running
guest_tap_end
check "what it wrote is whole" lab_exec web "echo 3 > /proc/sys/vm/drop_caches; cksum < /var/tmp/much | cmp - /tmp/sum"
check "watch says both" jq -es '[.[] | select(.event == "vm") | .what] | index("io-error") < index("goes-on")' \
	"$LAB_DIR/watch"
kill "$watch"
check "with space again, the fork works" lab_exec web "vmfork -n 2 -- true"
lab_stop
unmount
done_testing
