#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install and uninstall, and what was installed: found, linked, completed, documented; and what
# the programs say on a machine that has neither module nor daemon.
. "$(dirname "$0")/../lab/lab.sh"

root=$(mktemp -d "${TMPDIR:-/tmp}/vmfork-install.XXXXXX")
trap 'rm -rf "$root"' EXIT
usr=$root/usr
make_it() { # TARGET [ARGUMENT]...
	make -s -C "$LAB_TOP" "$@" DESTDIR="$root"
}

files() { # all that are no directory
	find "$root" ! -type d | sort
}

# ---- where things go
check "make install PREFIX=/usr" make_it install PREFIX=/usr
installed=$(files)
check "once more" make_it install PREFIX=/usr
is "puts the same files there" "$(files)" "$installed"
check "nothing of it has a placeholder left" sh -c "! grep -rIl '@[A-Z]*@' $usr"
for f in bin/vmfork bin/vmforkctl sbin/vmforkd sbin/vmfork-agent lib/vmfork/vmfork-pager \
	lib/vmfork/libvmfork-ram.so lib/libvmfork.so lib/pkgconfig/libvmfork.pc lib/systemd/system/vmforkd.service \
	lib/systemd/system/vmfork-agent.service lib/systemd/system-generators/vmfork-settling-generator \
	lib/sysusers.d/vmfork.conf lib/tmpfiles.d/vmfork-agent.conf lib/udev/rules.d/60-vmfork.rules \
	lib/python3/dist-packages/vmfork.py; do
	check "$f" test -r "$usr/$f"
done
for unit in "$usr"/lib/systemd/system/*.service; do
	program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
	check "what ${unit##*/} starts is there" test -x "$root$program"
done

# ---- libraries
export PKG_CONFIG_LIBDIR=$usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
cat > "$root/user.c" << 'EOF'
#include <stdio.h>
#include <vmfork.h>
int main(void)
{
	int vm = vmfork_open();

	puts(vm < 0 ? vmfork_strerror(vm, VMFORK_CALL_OPEN) : "open");
	return 0;
}
EOF
is "pkg-config knows the version" "$(pkg-config --modversion libvmfork)" \
	"$("$usr/bin/vmfork" --version | cut -d' ' -f2)"
# shellcheck disable=SC2046
check "a program is built with it" cc -Wall -Werror -o "$root/shared" "$root/user.c" $(pkg-config --cflags --libs libvmfork)
# shellcheck disable=SC2046
check "a static one" cc -static -Wall -Werror -o "$root/static" "$root/user.c" $(pkg-config --static --cflags --libs libvmfork)
if [ ! -e /dev/vmfork ]; then
	no_module='no /dev/vmfork: load the module (modprobe vmfork)'
	is "it runs, and says what is missing" "$(LD_LIBRARY_PATH=$usr/lib "$root/shared")" "$no_module"
	is "so does the static one" "$("$root/static")" "$no_module"
	check_fails "so does Python" "No such file|load the module" env LD_LIBRARY_PATH="$usr/lib" \
		PYTHONPATH="$usr/lib/python3/dist-packages" PYTHONDONTWRITEBYTECODE=1 \
		python3 -c 'import vmfork; vmfork.Machine()'
	check_fails "vmfork, too" "load the module" "$usr/bin/vmfork" -- true
	check_fails "and the agent" "load the module" "$usr/sbin/vmfork-agent"
	check_fails "also when it is asked" "load the module" "$usr/sbin/vmfork-agent" --status
else
	skip "without the module" "it is loaded here"
fi

# ---- what is said to who mistypes
PATH=$usr/bin:$usr/sbin:$PATH
check_fails "no daemon" "no vmforkd at .*start it" vmforkctl --socket "$root/none" ps
check_fails "no verb" "no verb; see" vmforkctl
check_fails "a verb that is none" "no verb 'frobnicate'" vmforkctl frobnicate
check_fails "an option that is none" "vmforkctl: ps: .*option" vmforkctl ps --bogus
check "help" sh -c "vmforkctl help fork | grep -q 'usage: vmforkctl fork'"
check_fails "vmfork: no command" "no command" vmfork
check_fails "an option that is none" "unrecognized option '--bogus'" vmfork --bogus -- true
check_fails "a value that is none, and whose" "-n: not a value for it: 'x'" vmfork -n x -- true
check_fails "of a long option" "--fail: not a value for it: 'often'" vmfork --fail=often -- true
check_fails "a name that nothing can have" "name is 1 to 63" vmfork --keep=.x -- true
check_fails "files without a command" "--map: no files" vmfork --map a b
check_fails "a file that is not there" "/nonexistent: No such file" vmfork --args-from /nonexistent -- true
check_fails "vmforkd" "unrecognized option '--bogus'" vmforkd --bogus
check_fails "vmforkd with too few files" "ulimit -Hn.*1024" \
	sh -c "mkdir '$root/few'; ulimit -n 512; exec vmforkd --runtime-dir '$root/few' --image-dir '$root/few'"
rm -r "$root/few"
check_fails "a configuration that is not there" "/nonexistent: No such file" \
	vmfork-agent --check-config -c /nonexistent
check "the example of a configuration is one" \
	vmfork-agent --check-config -c "$usr/share/doc/vmfork/agent.conf"

# ---- every option is in the manual and is completed
words() { # COMMAND... : the long options that its help has
	"$@" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u
}
in_manual() { # PAGE OPTION: mdoc(7) writes --x as "Fl -x"
	grep -qE -- "-${2#--}( |\$|=|\[)" "$usr/share/man/$1"
}
missing=''
for o in $(words vmfork); do in_manual man1/vmfork.1 "$o" || missing+=" vmfork:$o"; done
for o in $(words vmforkd); do in_manual man8/vmforkd.8 "$o" || missing+=" vmforkd:$o"; done
for o in $(words vmfork-agent); do in_manual man8/vmfork-agent.8 "$o" || missing+=" vmfork-agent:$o"; done
for verb in $(vmforkctl --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
	for o in $(words vmforkctl "$verb"); do in_manual man1/vmforkctl.1 "$o" || missing+=" $verb:$o"; done
done
is "no option is missing in the manuals" "$missing" ""

options_of() { # PAGE: those that its synopsis or a list has
	grep -E '^\.(It|Op)' "$usr/share/man/$1" | grep -oE 'Fl -[a-z][a-z-]+' | sed 's/Fl -/--/' | sort -u
}
all_words() { # of all verbs
	local verb
	words vmforkctl
	for verb in $(vmforkctl --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do words vmforkctl "$verb"; done
}
is "vmfork(1) has no option that is none" "$(comm -23 <(options_of man1/vmfork.1) <(words vmfork))" ""
is "vmforkd(8) has none" "$(comm -23 <(options_of man8/vmforkd.8) <(words vmforkd))" ""
is "vmfork-agent(8) has none" "$(comm -23 <(options_of man8/vmfork-agent.8) <(words vmfork-agent))" ""
is "vmforkctl(1) has none" "$(comm -23 <(options_of man1/vmforkctl.1) <(all_words | sort -u))" ""

completed() { # WORD...: what is offered for the last one
	bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$1/share/bash-completion/completions/$2"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
		"_$1" "$1"
		printf "%s\n" "${COMPREPLY[@]}"' sh "$usr" "$@" 2> /dev/null
}
if [ -r /usr/share/bash-completion/bash_completion ]; then
	missing=''
	for o in $(words vmfork); do
		completed vmfork -- | grep -qx -- "$o" || missing+=" $o"
	done
	is "vmfork completes all its options" "$missing" ""
	missing=''
	for verb in $(vmforkctl --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
		completed vmforkctl "" | grep -qx "$verb" || missing+=" $verb"
		for o in $(words vmforkctl "$verb"); do
			completed vmforkctl "$verb" - | grep -qx -- "$o" || missing+=" $verb:$o"
		done
	done
	is "vmforkctl completes its verbs and their options" "$missing" ""
	is "modes of --output" "$(completed vmfork --output l)" line
	is "ways to fill" "$(completed vmforkctl checkpoint fill some "" | xargs)" "none record all"
	is "verbs to be helped with" "$(completed vmforkctl help sh)" shutdown
else
	skip "completion" "no bash-completion here"
fi

# ---- away with it
check "make uninstall PREFIX=/usr" make_it uninstall PREFIX=/usr
is "leaves no file" "$(files | grep "^$usr")" ""
check "nor a folder of its own" sh -c "! find $usr -type d -printf '%P\n' | grep vmfork"
check "make install, PREFIX as it is" make_it install
check "units go to /etc then" test -r "$root/etc/systemd/system/vmforkd.service"
check "and start what is in /usr/local" grep -q '^ExecStart=/usr/local/sbin/vmforkd' \
	"$root/etc/systemd/system/vmforkd.service"
check "make uninstall" make_it uninstall
is "leaves no file either" "$(files | grep -v "^$root/\(user.c\|shared\|static\)$")" ""
done_testing
