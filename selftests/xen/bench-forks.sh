#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B8: forks against `xl save -c` and `xl restore`, in dom0. Prints a table: counts are exact, times are
# worth something as ratios only, in the lab above all. Run by check-xen.sh like a suite.
# BENCH_CLONES="1 4", BENCH_MEMORY=128 (MiB)
. "$(dirname "$0")/../host/e2e.sh"
clones=${BENCH_CLONES:-1 4}
memory=${BENCH_MEMORY:-128}

since() { # SECONDS.NANOSECONDS
	python3 -c 'import sys, time; print("%.2f" % (time.time() - float(sys.argv[1])))' "$1"
}

row() { # WHAT N VALUE UNIT
	diag "$(printf '%-44s %3s %12s %s' "$@")"
}


fork_once() { # N
	local began line
	began=$(date +%s.%N)
	if ! vmforkctl fork web -n "$1" > /dev/null; then
		not_ok "a fork into $1"
		return
	fi
	row "fork: until all clones run" "$1" "$(since "$began")" s
	line=$(grep -a 'stood still' "$LAB_DIR/vmforkd.log" | tail -n 1)
	row "fork: the parent stood still" "$1" "$(sed 's/.*for \(.*\) ms.*/\1/' <<< "$line")" ms
	row "fork: pages copied" "$1" "$(lab_vm web copied_pages)" pages
	row "fork: of them while it stood still" "$1" "$(lab_vm web copied_late_pages)" pages
	row "fork: descriptor" "$1" "$(json '.checkpoints[-1].descriptor_bytes' ps)" bytes
	row "fork: image" "$1" "$(json '.checkpoints[-1].image_bytes' ps)" bytes
	sleep 10
	row "fork: memory of a clone after 10 s" "$1" "$(xl list | awk 'NR > 3 { n++; s += $3 } END { print s / n }')" MiB
	ok "a fork into $1"
	for line in $(vmforkctl ps -q); do
		[ "$line" = web ] || vmforkctl kill "$line" > /dev/null
	done
	lab_wait_for 60 "the clones end" only_vms web
}

xl_once() { # N
	local began i
	began=$(date +%s.%N)
	if ! xl save -c base /tmp/base.save > /dev/null 2>&1; then
		not_ok "xl save -c"
		return
	fi
	row "xl save -c: until the file is there" "$1" "$(since "$began")" s
	for ((i = 1; i <= $1; i++)); do
		sed "s/^name=.*/name=\"base$i\"/" /tmp/base.cfg > "/tmp/base$i.cfg"
		xl restore "/tmp/base$i.cfg" /tmp/base.save > /dev/null 2>&1 || not_ok "xl restore"
	done
	row "xl save -c, xl restore: until all run" "$1" "$(since "$began")" s
	row "xl save -c: file" "$1" "$(stat -c %s /tmp/base.save)" bytes
	row "xl restore: memory of each" "$1" "$memory" MiB
	ok "xl save and restore of $1"
	for ((i = 1; i <= $1; i++)); do
		xl destroy "base$i"
	done
	rm -f /tmp/base.save
}

lab_start
lab_run web --memory "${memory}M" || bail_out "the guest does not boot"
for n in $clones; do
	fork_once "$n"
done
check "the guest ends" vmforkctl kill web
cat > /tmp/base.cfg << EOF
name="base"
type="pvh"
kernel="$LAB_KERNEL"
ramdisk="$LAB_INITRD"
cmdline="$LAB_APPEND"
memory=$memory
vcpus=1
tsc_mode="native"
EOF
check "xl create of the same machine" xl create /tmp/base.cfg
sleep "$((LAB_PATIENCE / 8))"	# until it has booted
for n in $clones; do
	xl_once "$n"
done
xl destroy base
done_testing
