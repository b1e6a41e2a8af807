#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B8, the parent's pause against its RAM and the rate at which it writes, beside `xl save -c`, which holds a
# machine from the first page to the last. Lines "# PAUSE WAY MIB PAGES-PER-SECOND WHAT VALUE", one for each run.
# Half of each machine's RAM but 32 MiB is in use, and what is written is in there. A machine writes as fast as
# it is asked to if it is given that much of the processor: what it came to is among the figures.
# BENCH_RUNS (3), BENCH_SIZES (128,256,384 MiB), BENCH_DIRTY (0,500,2000 pages a second). In the lab + stands for the comma.
# shellcheck source=selftests/xen/xl.sh
. "$(dirname "$0")/xl.sh"

runs=${BENCH_RUNS:-3}
sizes=$(tr ,+ ' ' <<< "${BENCH_SIZES:-128,256,384}")
rates=$(tr ,+ ' ' <<< "${BENCH_DIRTY:-0,500,2000}")

pause() { # WAY MIB RATE WHAT VALUE
	diag "PAUSE $*" >&3
}

# The benchmarks' program takes its commands from a fifo that somebody keeps open.
program() { # MIB: the commands that start it
	echo "cd /tmp; mkfifo ask; sleep 100000 > ask & vmfork-bench-guest < ask >> said 2>&1 & echo fill $(($1 / 2 - 32)) > ask;" \
		"until grep -q '^fill' said; do sleep 0.2; done"
}

asked() { # COMMAND: to it
	lab_exec web "cd /tmp; : > said; echo $1 > ask; until grep -q '^${1% *}' said; do sleep 0.1; done"
}

written() { # how many pages it has written so far
	asked dirtied && lab_exec web "sed -n 's/^dirtied //p' /tmp/said" | tr -d '\r'
}

vmfork_pause() { # MIB RATE
	local begin before after ms
	before=$(written) begin=$(date +%s%N)
	vmforkctl checkpoint web kept > /dev/null || return
	ms=$(ms_since "$begin") after=$(written)
	pause vmfork "$1" "$2" pause_ms "$(pause_ms)"
	pause vmfork "$1" "$2" written_per_s $(((after - before) * 1000 / (ms + 1)))
	pause vmfork "$1" "$2" copied_pages "$(lab_vm web copied_pages)"
	pause vmfork "$1" "$2" late_pages "$(lab_vm web copied_late_pages)"
	vmforkctl checkpoint rm kept > /dev/null
}

xl_pause() { # MIB: nothing is kept, which is in its favour
	local begin
	begin=$(date +%s%N)
	xl save -c bench /dev/null > /dev/null 2>&1 || return
	pause xl "$1" 0 pause_ms "$(ms_since "$begin")"
}

xl_begin
for mib in $sizes; do
	check "$mib MiB: xl's machine boots" xl_start "$mib"
	check "$mib MiB: its memory is in use" xl_exec bench "$(program "$mib")"
	for ((run = 1; run <= runs; run++)); do
		check "$mib MiB: xl, run $run" xl_pause "$mib"
	done
	xl destroy bench
	lab_run web --memory "${mib}M" || bail_out "the guest does not boot"
	check "$mib MiB: memory is in use" lab_exec web "$(program "$mib")"
	for rate in $rates; do
		check "$mib MiB: $rate pages a second" asked "dirty $rate"
		for ((run = 1; run <= runs; run++)); do
			check "$mib MiB: vmfork, $rate pages a second, run $run" vmfork_pause "$mib" "$rate"
		done
	done
	check "$mib MiB: the end" kill_all
	check "$mib MiB: no domain, no device is left" no_domain_no_device
done
done_testing
