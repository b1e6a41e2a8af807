#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Unpack another kernel's headers (and image) into a cache, without installing them.
#
#   fetch-headers.sh [--image] [SERIES]     SERIES: 6.12 (default); rt, cloud: Debian 12's own
#                                           kernel with PREEMPT_RT, or for clouds
#
# Takes the newest Debian amd64 kernel of that series that apt knows, for which
# apt-cache must list it (bookworm-security or bookworm-backports has 6.12). The last
# line printed is the folder for `make modules KDIR=`; with --image a line before it
# is the folder that holds boot/ and lib/modules/ of the same release.
set -eu

image=0
if [ "${1:-}" = --image ]; then
	image=1
	shift
fi
series=${1:-6.12}
cache=${VMFORK_CACHE:-${HOME:-/root}/.cache/vmfork}

say() { echo "fetch-headers: $*" >&2; }
die() { say "$*"; exit 1; }

newest_release() {
	case $series in
	rt|cloud) apt-cache pkgnames "linux-headers-6.1.0-" |
		sed -n "s/^linux-headers-\(6[0-9.]*-[0-9]*-$series-amd64\)$/\1/p" ;;
	*) apt-cache pkgnames "linux-headers-$series." |
		sed -n 's/^linux-headers-\([0-9.]*+[a-z0-9]*-amd64\)$/\1/p' ;;
	esac | sort -V | tail -n 1
}

# what its headers and its tools are in, besides its own package
others() {
	case $series in
	rt) echo "linux-headers-${base%-rt}-common-rt linux-kbuild-6.1" ;;
	cloud) echo "linux-headers-${base%-cloud}-common linux-kbuild-6.1" ;;
	*) echo "linux-headers-$base-common linux-kbuild-$base" ;;
	esac
}

# unpack PACKAGE: download it and unpack it into $root
unpack() {
	say "downloading $1"
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$1" >&2) || die "cannot download $1"
	dpkg -x "$work"/"$1"_*.deb "$root"
	rm -f "$work"/"$1"_*.deb
}

release=$(newest_release)
[ -n "$release" ] || die "apt knows no headers of $series for amd64 (bookworm-security has 6.12)"
root=$cache/kernels/$release
kdir=$root/usr/src/linux-headers-$release
base=${release%-amd64}

mkdir -p "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
chmod 755 "$work"

if [ ! -e "$root/.headers" ]; then
	unpack "linux-headers-$release"
	for package in $(others); do
		unpack "$package"
	done
	# the packages name each other by absolute paths
	sed -i "s|/usr/src/linux-headers-|$root/usr/src/linux-headers-|g" "$kdir/Makefile"
	touch "$root/.headers"
fi
if [ "$image" = 1 ] && [ ! -e "$root/.image" ]; then
	unpack "linux-image-$release"
	touch "$root/.image"
fi
[ "$image" = 0 ] || echo "$root"
echo "$kdir"
