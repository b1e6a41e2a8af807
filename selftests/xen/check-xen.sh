#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs test suites on Xen: check-xen.sh SUITE...
#
# In the lab: QEMU's TCG emulates AMD's SVM, so that Xen with a Debian dom0 in it runs PVH domains; the suites
# run in dom0, on this tree. That shows correctness; no time from there means anything but as a ratio.
# XEN_HOST=local: directly, on a host that runs Xen itself.
# XEN_ENV="NAME=VALUE ...": for the suites in the lab (no spaces, no colons in a value).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
limit=${XEN_LIMIT:-2700}
memory=${XEN_MEMORY:-3072}
# -smap, -monitor, -rdtscp: what TCG does is not what Xen needs (Documentation/xen.md)
cpu=EPYC,+svm,+npt,-smap,-monitor,-rdtscp

skip() { # WHY
	echo "ok 1 - suites on Xen # SKIP $*"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

on_this_host() {
	grep -q control_d /proc/xen/capabilities 2> /dev/null || skip "this is not Xen's control domain"
	[ -e build/xen/guest/env ] || XEN_ONLY=guest selftests/xen/images.sh build/xen
	export LAB_BACKEND=xen
	if [ -n "${XEN_LAB:-}" ]; then	# one emulated CPU, 3 GiB
		export LAB_MEMORY=${LAB_MEMORY:-160M} E2E_BASE_BYTES=${E2E_BASE_BYTES:-16M} E2E_FORKS=${E2E_FORKS:-20}
		export E2E_MIB=${E2E_MIB:-16} E2E_CLONES=${E2E_CLONES:-12} E2E_KILLS=${E2E_KILLS:-2}
	fi
	exec selftests/run.py --logs "${XEN_LOGS:-build/check-xen}" --timeout "$limit" "$@"
}

can_nest() {
	local version available
	version=$(qemu-system-x86_64 --version 2> /dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
	[ -n "$version" ] || skip "there is no qemu-system-x86_64 (Debian: apt install qemu-system-x86)"
	printf '%s\n' 7.2 "$version" | sort -CV || skip "QEMU is $version, the lab takes 7.2 or newer"
	available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	((available > memory + 512)) ||
		skip "$available MiB of memory are free, the lab takes $((memory + 512)) (XEN_MEMORY=$memory)"
	[ -e build/bin/vmforkd-xen ] || skip "built without Xen's libraries (Debian: apt install libxen-dev)"
}

share() { # TAG PATH: a folder of ours, read only, at the same place in dom0
	echo -fsdev "local,id=$1,path=$2,security_model=none,readonly=on,multidevs=remap" \
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

[ "${XEN_HOST:-lab}" != local ] || on_this_host "$@"
can_nest
selftests/xen/images.sh build/xen
# shellcheck disable=SC1091
. build/xen/env
mkdir -p build/check-xen
log=build/check-xen/dom0.log
suites=$(printf '%s:' "$@")	# a comma would end QEMU's module
args="console=hvc0 quiet panic=-1 nowatchdog root=/dev/vda vmfork.job=xen init=/usr/lib/vmfork/jobs/xen-dom0"
args+=" xen.tree=$top xen.cache=$XEN_CACHE xen.limit=$((limit - limit / 8)) xen.suites=${suites%:}"
args+=" xen.env=$(tr ' ' : <<< "${XEN_ENV:-}")"
SECONDS=0
echo "# Xen with a Debian dom0 boots under TCG; the whole run may take $((limit / 60)) minutes at most"
# shellcheck disable=SC2046
timeout --foreground -k 10 "$limit" setpriv --pdeathsig KILL qemu-system-x86_64 \
	-accel tcg,thread=multi,tb-size=512 -machine q35 -cpu "$cpu" -smp "${XEN_CPUS:-1}" -m "$memory" \
	-nodefaults -no-user-config -display none -no-reboot -serial stdio -kernel "$XEN_HYPERVISOR" \
	-append "console=com1 com1=115200 loglvl=warning guest_loglvl=none/warning dom0_mem=1024M noreboot spec-ctrl=eager-fpu" \
	-initrd "$XEN_KERNEL $args,$XEN_INITRD" \
	-drive "if=none,id=root,file=$XEN_DISK,format=raw,snapshot=on" -device virtio-blk-pci,drive=root \
	$(share tree "$top") $(share cache "$XEN_CACHE") < /dev/null 2>&1 |
	stdbuf -oL tr -d '\r' | grep -av --line-buffered "TCG doesn't support requested feature" | tee "$log" || true
status=$(sed -n 's/^XEN-SUITES ended \([0-9]*\).*/\1/p' "$log" | tail -n 1)
if [ -z "$status" ]; then
	why="ended by itself"
	((SECONDS < limit)) || why="was stopped"
	echo "not ok - the Xen lab $why after $((SECONDS / 60)) minutes, before its suites had ended: $log"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
exit "$status"
