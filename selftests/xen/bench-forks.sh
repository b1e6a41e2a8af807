#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B8: clones by vmfork against `xl save -c` and `xl restore`, in the same lab. Figures are lines
# "# FIGURE WAY CLONES WHAT VALUE", one for each run; bench-table.py makes the table of them.
# BENCH_RUNS (3), BENCH_CLONES (1,4,8), BENCH_MEMORY (128 MiB of each machine). In the lab + stands for the comma.
# shellcheck disable=SC2153
# shellcheck source=selftests/xen/xl.sh
. "$(dirname "$0")/xl.sh"

runs=${BENCH_RUNS:-3}
sizes=$(tr ,+ ' ' <<< "${BENCH_CLONES:-1,4,8}")
memory=${BENCH_MEMORY:-128}

domain_mib() { # NAME-PATTERN: mean memory of the domains of that name
	xl list | awk -v name="$1" '$1 ~ name { sum += $3; n++ } END { printf "%.1f\n", n ? sum / n : 0 }'
}

# ---- the baseline: everything is written, and read once more for each clone

xl_run() { # CLONES
	local begin i tty file=$files/saved
	begin=$(date +%s%N)
	xl save -c bench "$file" > /dev/null 2>&1 || return
	figure xl "$1" pause_ms "$(ms_since "$begin")"
	for ((i = 1; i <= $1; i++)); do
		xl restore -e "$files/clone$i.cfg" "$file" > /dev/null 2>&1 || return
	done
	figure xl "$1" running_ms "$(ms_since "$begin")"
	for tty in $(xl_ttys clone); do
		vmfork-guest-exec -t "$LAB_PATIENCE" "$tty" true || return
	done
	figure xl "$1" answered_ms "$(ms_since "$begin")"
	figure xl "$1" copied_bytes $(($(stat -c %s "$file") * ($1 + 1)))
	figure xl "$1" clone_mib "$(domain_mib '^clone')"
	for ((i = 1; i <= $1; i++)); do
		xl destroy "clone$i"
	done
	rm "$file"
}

# ---- vmfork

sum_of() { # MEMBER of the clones' pager figures
	json "[.vms[] | select(.name != \"web\").pager.$1] | add" stats
}

vmfork_run() { # CLONES
	local begin vm console copied ahead
	begin=$(date +%s%N)
	vmforkctl fork web -n "$1" > /dev/null || return
	figure vmfork "$1" running_ms "$(ms_since "$begin")"
	figure vmfork "$1" pause_ms "$(pause_ms)"
	for console in "$LAB_DIR"/run/vm/*/console.sock; do
		[ "$console" = "$web_console" ] || vmfork-guest-exec -t "$LAB_PATIENCE" "$console" true || return
	done
	figure vmfork "$1" answered_ms "$(ms_since "$begin")"
	copied=$(lab_vm web copied_pages)
	ahead=$(json '[.checkpoints[].pager.prefetched] | add' stats)
	figure vmfork "$1" copied_bytes $(((copied + $(sum_of fetched) + ahead) * 4096))
	figure vmfork "$1" prefetched_pages "$ahead"
	figure vmfork "$1" copied_late_pages "$(lab_vm web copied_late_pages)"
	figure vmfork "$1" fetched_pages "$(sum_of fetched)"
	figure vmfork "$1" zero_pages "$(sum_of zero)"
	figure vmfork "$1" free_pages "$(json '.checkpoints[0].free_pages' ps)"
	figure vmfork "$1" clone_mib "$(domain_mib "^vmfork-.*-" | awk -v n="$1" -v ram="$memory" \
		'{ printf "%.1f\n", ($1 * (n + 1) - ram) / n }')"
	for vm in $(vmforkctl ps -q); do
		[ "$vm" = web ] || vmforkctl kill "$vm" > /dev/null
	done
	domains_soon 2
}

# With a ticket that was asked for long before: what is left to do at the fork itself.
vmfork_ticket_run() { # CLONES
	lab_exec web "rm -f /tmp/go /tmp/over; mkfifo /tmp/over
		{ E2E_TIMEOUT=3600 vmfork-e2e ahead /tmp/go 1 $1 > /tmp/ahead 2>&1; echo > /tmp/over; } &" || return
	lab_wait_for 120 "a copy" eval '[ "$(lab_vm web copied_ahead)" = true ]' || return
	lab_exec web 'touch /tmp/go; read -r _ < /tmp/over; cat /tmp/ahead' > "$files/ahead"
	if ! grep -q "^ok 3" "$files/ahead" || grep -q "^not ok" "$files/ahead"; then
		cat "$files/ahead"
		return 1
	fi
	figure vmfork "$1" ticket_running_ms "$(sed -n 's/.*clones run after \([0-9]*\) ms.*/\1/p' "$files/ahead")"
	figure vmfork "$1" ticket_late_pages $(($(lab_vm web copied_pages) - $(lab_vm web copied_early_pages)))
	domains_soon 2
}

xl_begin
for i in $(seq 16); do
	xl_config "clone$i" "$memory"
done
check "xl's machine boots" xl_start "$memory"
lab_run web --memory "${memory}M" || bail_out "the guest does not boot"
web_console=$(lab_console web)
for n in $sizes; do
	for ((run = 1; run <= runs; run++)); do
		check "xl: $n clones, run $run" xl_run "$n"
		check "vmfork: $n clones, run $run" vmfork_run "$n"
		check "vmfork with a ticket: $n clones, run $run" vmfork_ticket_run "$n"
	done
done
xl destroy bench
check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
