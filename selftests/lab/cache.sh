# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab's cache: each entry is a directory NAME-KEY, made whole or not at all.
#
# An entry is built in a temporary directory beside it and renamed; a lock per NAME keeps two
# builders apart. KEY is a hash of everything that the entry depends on.

# Root's home is closed to the user that QEMU runs as, so root's cache is not there.
if [ "$(id -u)" = 0 ]; then
	default_cache=/var/cache/vmfork
else
	default_cache=${XDG_CACHE_HOME:-$HOME/.cache}/vmfork
fi
CACHE=${VMFORK_CACHE:-$default_cache}
CACHE_KEEP_DAYS=14
umask 022

say() {
	printf 'lab: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# hash_of FILE-OR-TEXT...: one key of the contents of files and of words
hash_of() {
	local it
	for it in "$@"; do
		if [ -f "$it" ]; then
			sha256sum < "$it"
		else
			printf '%s\n' "$it"
		fi
	done | sha256sum | cut -c1-16
}

# cached ret TITLE NAME KEY BUILDER [ARG...]: ret is the entry's directory; BUILDER DIR ARG... fills
# a new one. It runs in the calling shell's functions with its output in the entry's log.
cached() {
	# shellcheck disable=SC2034
	local -n ret_entry=$1
	local title=$2 name=$3 entry=$CACHE/$3-$4 tmp status start=$SECONDS
	shift 4
	# shellcheck disable=SC2034
	ret_entry=$entry
	if [ -d "$entry" ]; then
		touch "$entry"
		return 0
	fi
	mkdir -p "$CACHE"
	exec {lock}> "$CACHE/.$name.lock"
	flock -n "$lock" || { say "$title ... another builder is at it, waiting"; flock "$lock"; }
	if [ ! -d "$entry" ]; then
		rm -rf "$CACHE/.$name".tmp.*
		find "$CACHE" -maxdepth 1 -name "$name-*" -mtime "+$CACHE_KEEP_DAYS" -exec rm -rf {} +
		tmp=$(mktemp -d "$CACHE/.$name.tmp.XXXXXX")
		chmod 755 "$tmp"
		printf 'lab: %s ... ' "$title" >&2
		set +e	# in a condition the builder would run without -e
		(set -e; "$1" "$tmp" "${@:2}") > "$tmp/log" 2>&1
		status=$?
		set -e
		if [ "$status" != 0 ]; then
			printf 'FAILED\n' >&2
			tail -n 20 "$tmp/log" >&2
			rm -rf "$tmp"
			exit 1
		fi
		mv "$tmp" "$entry"
		printf '%d s\n' $((SECONDS - start)) >&2
	fi
	exec {lock}>&-
}
