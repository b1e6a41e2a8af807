#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs test suites with QEMU's -accel kvm: check-kvm.sh SUITE...
#
# Directly where this machine's own KVM runs a stock kernel; else in the nested lab: QEMU's TCG
# emulates AMD's SVM, a Debian in it (L1) has a working /dev/kvm and runs the suites on this tree. That
# shows correctness; no figure from there means anything.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
limit=${KVM_LIMIT:-1800}
memory=${KVM_MEMORY:-4096}
cpus=${KVM_CPUS:-1}
cpu=EPYC,+svm,+npt,-smap,-monitor,-rdtscp

own_kvm() {
	[ -x build/bin/vmfork-kvm-probe ] && build/bin/vmfork-kvm-probe
}

skip() { # WHY
	echo "ok 1 - suites in the nested lab # SKIP $*"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

# Asked before anything is fetched or built.
can_nest() {
	local available
	available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	((available > memory + 512)) ||
		skip "$available MiB of memory are free, the lab takes $((memory + 512)) (KVM_MEMORY=$memory)"
}

if own_kvm; then
	exec env VMFORK_ACCEL=kvm selftests/run.py --logs build/check-kvm "$@"
fi
echo "# this machine's own KVM does not run a stock kernel: nested lab"
can_nest
qemu=$(selftests/lab/newer-qemu.sh) || skip "the nested lab takes a newer QEMU than the system's, which cannot be fetched"
selftests/kvm/l1-image.sh build/kvm
# shellcheck disable=SC1091
. build/lab/env
# shellcheck disable=SC1091
. build/kvm/env

share() { # TAG PATH: a folder of ours, read only, at the same place in L1
	echo -fsdev "local,id=$1,path=$2,security_model=none,readonly=on,multidevs=remap" \
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

mkdir -p build/check-kvm
log=build/check-kvm/l1.log
SECONDS=0

run_l1() { # SUITE...: until it ends, or what is left of the time
	local left=$((limit - SECONDS)) args
	args=$(printf '%s,' "$((left - left / 8))" "$top" "$L1_CACHE" "$@")
	# shellcheck disable=SC2046
	timeout --foreground -k 10 "$left" setpriv --pdeathsig KILL "$qemu" \
		-accel tcg,tb-size=512 -machine q35 -cpu "$cpu" -smp "$cpus" \
		-m "$memory" -nodefaults -no-user-config -display none -no-reboot -serial stdio \
		-kernel "$LAB_KERNEL" -initrd "$LAB_INITRD" -append "$LAB_APPEND nowatchdog \
		mitigations=off vmfork.nomodule vmfork.job=kvm-suite vmfork.args=${args%,}" \
		-drive "if=none,id=root,file=$L1_DISK,format=raw,snapshot=on" \
		-device virtio-blk-pci,drive=root \
		$(share tree "$top") $(share cache "$L1_CACHE") < /dev/null 2>&1 |
		stdbuf -oL tr -d '\r' |
		grep -v --line-buffered "TCG doesn't support requested feature" | tee "$log" || true
	status=$(sed -n 's/^VMFORK-JOB kvm-suite ended \([0-9]*\).*/\1/p' "$log" | tail -n 1)
}

# L1's kernel is Debian's, with nothing of ours in it: if it dies, the emulation below it is at fault.
l1_died() {
	[ -z "$status" ] && grep -q "Kernel panic - not syncing" "$log"
}

echo "# L0: $("$qemu" --version | head -n 1); L1 has $cpus CPU(s)"
echo "# L1: boots Debian with SVM under TCG; the whole run may take $((limit / 60)) minutes at most"
run_l1 "$@"
if l1_died; then
	cp "$log" build/check-kvm/l1-died.log
	echo "# L1's own kernel died (build/check-kvm/l1-died.log): once more"
	run_l1 "$@"
	! l1_died || skip "L1's own kernel died twice: this QEMU does not emulate SVM well enough"
fi
if [ -z "$status" ]; then
	why="ended by itself"
	((SECONDS < limit)) || why="was stopped"
	echo "not ok - the nested lab $why after $((SECONDS / 60)) minutes, before its suites had ended: $log"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
exit "$status"
