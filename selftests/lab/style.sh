#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Style checks of the whole tree by the tools that are installed; says which are not.
# checkpatch comes out of Debian's linux-source-6.1, codespell, shellcheck and mandoc from theirs.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
. "$here/cache.sh"
source=/usr/src/linux-source-6.1.tar.xz
bad=0

files() { # PATTERN...: of the tree
	git ls-files -- "$@"
}

scripts() {
	files '*.sh' .ci/run | cat - <(files selftests | xargs grep -lE '^#!/bin/(ba)?sh') | sort -u
}

try() { # WHAT COMMAND...
	printf '  STYLE   %s\n' "$1"
	shift
	"$@" || bad=1
}

make_checkpatch() { # DIR
	tar -x -f "$source" -C "$1" --strip-components=2 --wildcards \
		'linux-source-6.1/scripts/checkpatch.pl' 'linux-source-6.1/scripts/spelling.txt' \
		'linux-source-6.1/scripts/const_structs.checkpatch'
}

# The module is held to the kernel's rules; user space has no BIT(), __printf() or maintainers file.
run_checkpatch() {
	local checkpatch status=0
	cached checkpatch "checkpatch" checkpatch "$(hash_of "$(stat -c %s "$source")")" make_checkpatch
	set -- perl "$checkpatch/checkpatch.pl" --no-tree --terse --quiet --no-summary --show-types \
		--max-line-length=100 --file
	local always=FILE_PATH_CHANGES,SPDX_LICENSE_TAG,SPLIT_STRING,BLOCK_COMMENT_STYLE
	# compat.h compares kernel versions as the kernel's own headers do
	files 'kmod/*.[ch]' 'include/*.h' | xargs "$@" --ignore "$always,CONSTANT_COMPARISON,LINUX_VERSION_CODE" || status=1
	always+=,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE,ARRAY_SIZE,EMBEDDED_FUNCTION_NAME,CONST_STRUCT,REPEATED_WORD
	# rules of the kernel that are wrong, or that cleanup attributes, X macros and Check trip over
	always+=,LINE_SPACING,STATIC_CONST_CHAR_ARRAY,NEW_TYPEDEFS,AVOID_EXTERNS,ENOSYS,COMPLEX_MACRO,SPACING
	always+=,QUOTED_WHITESPACE_BEFORE_NEWLINE,UNNECESSARY_ELSE
	files '*.[ch]' ':!kmod' ':!include' | xargs "$@" --ignore "$always" || status=1
	return "$status"
}

run_mandoc() {
	files 'Documentation/*.[1-8]' | xargs -r mandoc -Tlint -Wwarning
}

have() {
	command -v "$1" > /dev/null || { printf '  STYLE   %s is not installed: left out\n' "$1"; false; }
}

if [ -e "$source" ]; then
	try checkpatch run_checkpatch
else
	echo "  STYLE   checkpatch is not there (linux-source-6.1): left out"
fi
# shellcheck disable=SC2046
if have codespell; then
	try codespell codespell -L nd --skip './LICENSES/*,./COPYING' $(files)
fi
# shellcheck disable=SC2046
if have shellcheck; then
	try shellcheck shellcheck -x -P SCRIPTDIR -S warning $(scripts)
fi
if have mandoc; then
	try mandoc run_mandoc
fi
exit "$bad"
