#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No space: for images, on a small tmpfs; for descriptors and overlays, in the runtime directory.
# The small file systems are mounted in a namespace of this suite's own, which ends with it.
if [ -z "${E2E_NAMESPACE:-}" ]; then
	if ! unshare -m true 2> /dev/null; then
		echo "1..0 # SKIP mounting a small tmpfs takes root"
		exit 0
	fi
	E2E_NAMESPACE=1 exec unshare -m --propagation private "$0" "$@"
fi
small=$(mktemp -d "${TMPDIR:-/tmp}/vmfork-small.XXXXXX")
mount -t tmpfs -o size=4m,mode=1777 vmfork-small "$small"
LAB_SHM=$small
. "$(dirname "$0")/e2e.sh"

fill() { # FILE: takes all the space that is left
	head -c 1G /dev/zero > "$1" 2> /dev/null
	chmod 644 "$1"
}

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
guest_tap -t 300 web "vmfork-e2e fidelity 2 16"
check "the log says that the image is full" daemon_log_says "full|[Nn]o space|ENOSPC|nospace"
check "the VM is unharmed" lab_exec web true

# Not a byte left anywhere where the daemon keeps files of VMs.
kill_all
lab_stop
mount -t tmpfs -o size=64m,mode=755 vmfork-small "$LAB_DIR/run"
lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
fill "$LAB_DIR/run/filler"
check_fails "fork with no space for the descriptor or the disk" "ENOSPC|[Nn]o space" vmforkctl fork web
rm "$LAB_DIR/run/filler"
check "the VM is unharmed, and with space the fork works" vmforkctl fork web
kill_all
lab_stop
umount "$LAB_DIR/run"
done_testing
