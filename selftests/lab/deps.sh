#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing on a Debian 12: deps.sh GROUP..., groups being the files of packages/.
# Elsewhere it says what is missing. It also makes the user that unprivileged QEMU runs as.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
user=vmfork

say() {
	printf 'deps: %s\n' "$*"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

quietly() { # COMMAND...: shows its output only if it fails
	local log
	log=$(mktemp)
	if ! "$@" > "$log" 2>&1 < /dev/null; then
		tail -n 30 "$log" >&2
		rm "$log"
		say "failed: $*" >&2
		exit 1
	fi
	rm "$log"
}

missing_packages() {
	local package
	for package in $(wanted "$@"); do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null |
			grep -qx installed || echo "$package"
	done
}

wanted() {
	local group
	for group in "$@"; do
		sed 's/#.*//' "$here/packages/$group"
	done | sort -u
	case " $* " in
	*" build "*) have_headers || echo linux-headers-amd64 ;;
	esac
}

# Any kernel's headers will do: the lab boots the kernel that they belong to.
have_headers() {
	local dir
	for dir in /lib/modules/*/build; do
		[ -e "$dir/include/generated/utsrelease.h" ] && return 0
	done
	return 1
}

# What packages stand for, on systems where dpkg cannot be asked.
missing_commands() {
	local command
	for command in make gcc pkg-config qemu-system-x86_64 qemu-img mmdebstrap mke2fs cpio xz \
		busybox depmod python3; do
		command -v "$command" > /dev/null || echo "$command"
	done
	have_headers || echo "headers of a kernel"
}

is_debian_12() {
	[ -r /etc/os-release ] && grep -qx 'VERSION_CODENAME=bookworm' /etc/os-release &&
		grep -qx 'ID=debian' /etc/os-release
}

join() {
	paste -sd, | sed 's/,/, /g'
}

elsewhere() {
	local lack
	lack=$(missing_commands | join)
	if [ -n "$lack" ]; then
		say "this is no Debian 12, so nothing is installed; missing: $lack" >&2
		exit 1
	fi
	say "this is no Debian 12; the programs needed seem to be there"
}

install_missing() {
	local packages
	packages=$(missing_packages "$@")
	if [ -z "$packages" ]; then
		say "nothing is missing ($*)"
		return
	fi
	say "installing: $(join <<< "$packages")"
	if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
		say "neither root nor sudo: as root, apt-get install $(paste -sd' ' <<< "$packages")" >&2
		exit 1
	fi
	as_root apt-get -q update > /dev/null || say "apt-get update failed; trying with the lists at hand"
	# shellcheck disable=SC2086
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $packages
}

make_user() {
	if ! getent passwd "$user" > /dev/null && [ "$(id -u)" = 0 ]; then
		say "system user and group $user, which QEMU runs as"
		adduser --system --group --no-create-home --home /nonexistent --quiet "$user"
	fi
}

[ $# -gt 0 ] || set -- build run
if is_debian_12; then
	install_missing "$@"
	make_user
else
	elsewhere
fi
