# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The baseline of the benchmarks on Xen: machines like those of vmfork, by xl; and figures.
# shellcheck source=selftests/xen/xen.sh
. "$(dirname "${BASH_SOURCE[0]}")/xen.sh"
files='' said=0

xl_begin() { # instead of lab_start
	exec 3>&1
	lab_start
	files=$(mktemp -d "$LAB_DIR/xl.XXXXXX")
}

figure() { # WAY CLONES WHAT VALUE: not into the output that check() keeps
	diag "FIGURE $*" >&3
}

ms_since() { # NANOSECONDS
	echo $((($(date +%s%N) - $1) / 1000000))
}

pause_ms() { # of the last fork
	sed -n 's/.*forked, stood still for \([0-9.]*\) ms.*/\1/p' "$LAB_DIR/vmforkd.log" | tail -n 1
}

xl_config() { # NAME MiB
	cat > "$files/$1.cfg" << END
name = "$1"
type = "pvh"
kernel = "$LAB_KERNEL"
ramdisk = "$LAB_INITRD"
cmdline = "$LAB_APPEND vmfork.shell"
memory = $2
vcpus = 1
tsc_mode = "native"
on_crash = "destroy"
END
}

xl_tty() { # DOMAIN
	xenstore-read "/local/domain/$(xl domid "$1")/console/tty"
}

xl_start() { # MiB: a machine "bench" like that of vmfork; waits for its shell
	xl_config bench "$1"
	xl create -e -q "$files/bench.cfg" || return
	cat "$(xl_tty bench)" > "$files/console" 2>&1 &
	lab_wait_for 120 "xl's machine is up" grep -qa VMFORK-READY "$files/console"
}

# COMMAND for the shell of a domain, as lab_exec has it done
xl_say() { # TTY NUMBER COMMAND
	printf 'run %d %s\n' "$2" "$(base64 -w 0 <<< "$3")" > "$1"
}

xl_exec() { # DOMAIN COMMAND: nobody else reads its console
	local tty
	tty=$(xl_tty "$1") || return
	timeout "$LAB_PATIENCE" grep -qam1 'VMFORK-END 1' < "$tty" &
	xl_say "$tty" 1 "$2"
	wait $!
}

xl_bench_exec() { # COMMAND: in the machine that xl_start made
	said=$((said + 1))
	xl_say "$(xl_tty bench)" "$said" "$1" || return
	lab_wait_for 120 "xl's machine answers" grep -qa "VMFORK-END $said" "$files/console"
}
