#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the guest of the tests and of the demo: a Debian 12 root disk, a kernel, an initramfs.
#
#   guest-image.sh [OUT]     OUT (build/lab) gets initrd.img and env, which names all three
#
# Environment: KERNEL=6.1 (default), 6.12, rt (6.1 with PREEMPT_RT) or debug (6.1 with the kernel's
# checkers, debug-kernel.sh); VMFORK_CACHE; VMFORK_MIRROR;
# SERVICES=1: with sshd, nginx and Python on the root disk, for the tests of identity and bindings;
# KDIR: build directory of the kernel to use; GUEST_PROGRAMS: other programs than build/guest. Slow steps are cached by what goes into them; the
# payload (module, programs, jobs) is packed anew each time, which takes a second.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/cache.sh"
. "$here/kernel.sh"
. "$here/image.sh"

out=${1:-$top/build/lab}
programs=${GUEST_PROGRAMS:-$top/build/guest}
mirror=${VMFORK_MIRROR:-http://deb.debian.org/debian}
packages=systemd-sysv,udev,dbus,kmod,iproute2,procps
[ -z "${SERVICES:-}" ] || packages+=,openssh-server,nginx-light,python3
disk_size=1G

# What changes with every build: it is appended to the initramfs, whose init copies it to
# /usr/lib/vmfork of the root disk (a tmpfs).
make_payload() { # DIR
	local tree=$1/payload p f
	rm -rf "$tree"
	mkdir -p "$tree/payload"/{bin,jobs,udev,systemd}
	p=$tree/payload
	cp "$here"/image/{lab-init,load-module,guest-shell} "$p/"
	cp "$(busybox_static)" "$p/busybox"
	[ -e "$module" ] && strip -d -o "$p/vmfork.ko" "$module"
	for f in "$programs"/*; do
		[ -f "$f" ] && strip -o "$p/bin/${f##*/}" "$f"
	done
	for f in "$top"/selftests/guest/*.sh; do
		[ -f "$f" ] && cp "$f" "$p/bin/"
	done
	for f in "$top"/selftests/*/jobs/*; do
		[ -f "$f" ] && cp "$f" "$p/jobs/"
	done
	for f in "$top"/userspace/*/*.rules; do
		[ -f "$f" ] && cp "$f" "$p/udev/"
	done
	make_payload_units "$p/systemd"
	make_payload_bindings "$p"
	pack "$tree" "$1/payload.cpio"
	rm -r "$tree"
}

# For other languages; small enough to be in every guest.
make_payload_bindings() { # DIR
	mkdir -p "$1"/{lib,python,examples}
	strip -o "$1/lib/libvmfork.so.0" "$top/build/lib/libvmfork.so.0"
	cp "$top"/userspace/python/*.py "$top"/selftests/python/*.py "$1/python/"
	cp "$top"/examples/python/*.py "$top"/examples/shell/*.sh "$top"/examples/udev/*.rules \
		"$1/examples/"
}

# The guest's units, as make install would put them; a test starts what it wants.
make_payload_units() { # DIR
	local f to
	for f in "$top"/userspace/systemd/vmfork-*.in; do
		to=${f##*/}
		sed 's,@PREFIX@/s\?bin,/usr/lib/vmfork/bin,g' "$f" > "$1/${to%.in}"
	done
	cp "$top"/userspace/systemd/vmfork-settling-generator "$1/"
	chmod 755 "$1"/*-generator
}

# A kernel with checkers: warnings go to its console, where the lab looks for them. It takes the
# long way of booting: code that KASAN checks runs before KASAN does when vmlinux is started (PVH).
loud=quiet reports='' boot=vmlinux
if [ "${KERNEL:-6.1}" = debug ]; then
	loud=loglevel=5
	reports=1
	boot=vmlinuz
fi
choose_kernel "${KERNEL:-6.1}"
module=$top/build/kmod-$KREL/vmfork.ko
if [ "${KERNEL:-6.1}" != 6.1 ]; then
	make -s -C "$top" modules KDIR="$KDIR" >&2
fi
kernel='' debian='' disk='' initramfs=''
cached kernel "[1/4] kernel $KREL" "kernel-$KREL" \
	"$(hash_of "$here/kernel.sh" "$here/image/modules" "$(kernel_id)")" make_kernel
cached debian "[2/4] Debian packages (about 30 MB over the network)" debian \
	"$(hash_of "$packages" "$mirror" "$(declare -f make_debian)")" make_debian "$packages" "$mirror"
cached disk "[3/4] root disk" disk "$(hash_of "$debian" "$kernel" "$disk_size" \
	"$(declare -f make_disk chroot_user)" "$here"/image/systemd/*)" \
	make_disk_as_root "$debian" "$kernel" "$disk_size"
cached initramfs "[4/4] initramfs" initramfs \
	"$(hash_of "$kernel" "$here/image/init" "$(busybox_static)" "$(declare -f make_initramfs)")" \
	make_initramfs "$kernel"
mkdir -p "$out"
make_payload "$out"
cat "$initramfs/initramfs.cpio" "$out/payload.cpio" > "$out/initrd.new"
rm "$out/payload.cpio"
mv "$out/initrd.new" "$out/initrd.img"
# no_timer_check: an emulated timer on a busy host is late, not broken (Linux: "IO-APIC + timer
# doesn't work!"); KVM's guests set it by themselves
cat > "$out/env" << EOF
LAB_RELEASE=$KREL
LAB_KERNEL=$kernel/$boot
LAB_VMLINUZ=$kernel/vmlinuz
LAB_INITRD=$out/initrd.img
LAB_DISK=$disk/disk.img
LAB_DISK_FORMAT=raw
LAB_INDEX_TAR=$debian/root.tar
LAB_APPEND="console=ttyS0 $loud panic=-1 no_timer_check"
LAB_REPORTS=$reports
EOF
say "guest: $KREL, $disk/disk.img, payload $([ -e "$module" ] && echo with || echo WITHOUT) vmfork.ko, $(find -L "$programs" -maxdepth 1 -type f 2> /dev/null | wc -l) programs"
