#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes L1, the Debian machine of the nested lab that has QEMU, /dev/kvm and our build tree.
#
#   l1-image.sh [OUT]     OUT (build/kvm) gets env; kernel and initramfs are the guest's own
set -eu
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/selftests/lab
. "$here/cache.sh"
. "$here/image.sh"
out=${1:-$top/build/kvm}
mirror=${VMFORK_MIRROR:-http://deb.debian.org/debian}
packages=kmod,iproute2,procps,passwd,python3,jq,qemu-system-x86,qemu-utils,libjansson4,libcap2,libzstd1,libsystemd0,libseccomp2,libnl-3-200,libnl-route-3-200,libnftables1
disk_size=3G

# shellcheck disable=SC1091
. "$top/build/lab/env"
kernel=${LAB_KERNEL%/*}
debian='' disk=''
cached debian "[1/2] Debian packages of L1 (about 90 MB over the network)" l1-debian \
	"$(hash_of "$packages" "$mirror" "$(declare -f make_debian)")" make_debian "$packages" "$mirror"
cached disk "[2/2] root disk of L1" l1-disk "$(hash_of "$debian" "$kernel" "$disk_size" \
	"$(declare -f make_disk chroot_user)" "$here"/image/systemd/*)" \
	make_disk_as_root "$debian" "$kernel" "$disk_size"
mkdir -p "$out"
cat > "$out/env" << EOF
L1_DISK=$disk/disk.img
L1_CACHE=$CACHE
EOF
