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
rm "$VMFORK_OVERLAY_DIR/filler"
check "with space again, the fork works" lab_exec web "vmfork -n 2 -- true"
lab_stop
unmount
done_testing
