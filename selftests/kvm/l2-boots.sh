#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Does stock QEMU with -accel kvm boot the lab's guest here? The other suites build on it.
# shellcheck disable=SC1091
. "$(dirname "$0")/../lab/lab.sh"
. "$LAB_GUEST/env"

boot() { # -> the console's text
	timeout -k 5 300 qemu-system-x86_64 -accel kvm -cpu host -machine pc -m 256 -nodefaults \
		-no-user-config -display none -no-reboot -serial stdio -kernel "$LAB_KERNEL" \
		-initrd "$LAB_INITRD" -append "$LAB_APPEND vmfork.job=hello" \
		-drive "if=none,id=root,file=$LAB_DISK,format=raw,snapshot=on,file.locking=off" \
		-device virtio-blk-pci,drive=root < /dev/null 2>&1
}

[ -c /dev/kvm ] || skip_all "there is no /dev/kvm"
text=$(boot)
check "stock QEMU boots the guest with -accel kvm" grep -q '^VMFORK-JOB hello ended 0' <<< "$text"
[ "$tap_failed" = 0 ] || diag "$text"
done_testing
