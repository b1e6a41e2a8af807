#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs test suites on Xen: check-xen.sh SUITE...
#
# In the lab: QEMU's TCG emulates AMD's SVM, so that Xen with a Debian dom0 in it runs PVH domains; the suites
# run in dom0, on this tree. That shows correctness; no time from there means anything but as a ratio.
# XEN_HOST=local: directly, on a host that runs Xen itself.
# XEN_LABS=N: so many labs (1 or 2), each with every N-th suite; 2 where there are two processors and the memory, since a
# lab has one emulated CPU. The second one is this script once more (XEN_LAB_NAME), shown when the first has ended.
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
	local version
	version=$(qemu-system-x86_64 --version 2> /dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
	[ -n "$version" ] || skip "there is no qemu-system-x86_64 (Debian: apt install qemu-system-x86)"
	printf '%s\n' 7.2 "$version" | sort -CV || skip "QEMU is $version, the lab takes 7.2 or newer"
	memory_for 1 || skip "less than the $((memory + 512)) MiB of memory are free that the lab takes (XEN_MEMORY=$memory)"
	[ -e build/bin/vmforkd-xen ] || skip "built without Xen's libraries (Debian: apt install libxen-dev)"
}

share() { # TAG PATH: a folder of ours, read only, at the same place in dom0
	echo -fsdev "local,id=$1,path=$2,security_model=none,readonly=on,multidevs=remap" \
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

memory_for() { # LABS
	local available
	available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	((available > $1 * memory + 512))
}

# Boots one lab, shows what dom0 says, ends with the status of its suites.
lab() { # SUITE...
	local log suites args status why
	log=build/check-xen/dom0${XEN_LAB_NAME:-}.log
	suites=$(printf '%s:' "$@")	# a comma would end QEMU's module
	args="console=hvc0 quiet panic=-1 nowatchdog root=/dev/vda vmfork.job=xen init=/usr/lib/vmfork/jobs/xen-dom0"
	args+=" xen.tree=$top xen.cache=$XEN_CACHE xen.limit=$((limit - limit / 8)) xen.suites=${suites%:}"
	args+=" xen.env=$(tr ' ' : <<< "${XEN_ENV:-}")"
	SECONDS=0
	# shellcheck disable=SC2046
	setpriv --pdeathsig TERM timeout --foreground -k 10 "$limit" setpriv --pdeathsig KILL qemu-system-x86_64 \
		-accel tcg,thread=multi,tb-size=512 -machine q35 -cpu "$cpu" -smp "${XEN_CPUS:-1}" -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot -serial stdio -kernel "$XEN_HYPERVISOR" \
		-append "console=com1 com1=115200 loglvl=warning guest_loglvl=none/warning dom0_mem=1024M noreboot spec-ctrl=eager-fpu" \
		-initrd "$XEN_KERNEL $args,$XEN_INITRD" \
		-drive "if=none,id=root,file=$XEN_DISK,format=raw,snapshot=on" -device virtio-blk-pci,drive=root \
		$(share tree "$top") $(share cache "$XEN_CACHE") < /dev/null 2>&1 |
		stdbuf -oL tr -d '\r' | grep -av --line-buffered "TCG doesn't support requested feature" | tee "$log" || true
	status=$(sed -n 's/^XEN-SUITES ended \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	[ -z "$status" ] || return "$status"
	why="ended by itself"
	((SECONDS < limit)) || why="was stopped"
	printf '%s\n' "not ok - the Xen lab $why after $((SECONDS / 60)) minutes, before its suites had ended: $log" \
		"0 passed, 1 failed, 0 skipped" | tee -a "$log"
	return 1
}

# Every other suite in a second lab beside this one's.
two_labs() { # SUITE...
	local first=() second=() one status=0
	for one; do
		if ((${#first[@]} > ${#second[@]})); then second+=("$one"); else first+=("$one"); fi
	done
	echo "# two labs; what the second one says comes last: ${second[*]##*/}"
	XEN_LABS=1 XEN_LAB_NAME=-2 setpriv --pdeathsig TERM "$0" "${second[@]}" > build/check-xen/second 2>&1 < /dev/null &
	trap 'kill "$!" 2> /dev/null || true' EXIT
	lab "${first[@]}" || status=1
	tail --pid=$! -n +1 -f build/check-xen/second
	wait "$!" || status=1
	trap - EXIT
	awk '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { last[FILENAME] = $0 }
	END { for (f in last) { split(last[f], n, /[^0-9]+/); p += n[1]; q += n[2]; s += n[3] }
	print p + 0 " passed, " q + 0 " failed, " s + 0 " skipped" }' build/check-xen/dom0.log build/check-xen/second
	return "$status"
}

[ "${XEN_HOST:-lab}" != local ] || on_this_host "$@"
can_nest
selftests/xen/images.sh build/xen
# shellcheck disable=SC1091
. build/xen/env
mkdir -p build/check-xen
labs=${XEN_LABS:-$(nproc)}
echo "# Xen with a Debian dom0 boots under TCG; the whole run may take $((limit / 60)) minutes at most"
if ((labs > 1 && $# > 1)) && memory_for 2; then
	two_labs "$@"
else
	lab "$@"
fi
