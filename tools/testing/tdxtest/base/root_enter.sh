#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# root_enter.sh ROOT [SOURCE TARGET ro|rw]... -- COMMAND...
#
# Run COMMAND with the folder ROOT as its root.  root.py starts this in mount and
# PID namespaces of its own, so that no mount is ever seen outside of it, and none
# is left behind.  Devices are bound one by one: the machine's /dev is not in ROOT.
set -eu

root=$1
shift

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
# A user namespace alone may not mount a sysfs of its own.
mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in full null random tty urandom zero; do
	: > "$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

while [ "$1" != -- ]; do
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		mkdir -p "$(dirname "$root$2")"
		: >> "$root$2"
	fi
	mount --bind "$1" "$root$2"
	[ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
	shift 3
done
shift

# Where names are looked up may have changed since the root was made.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"

# The old root lies on top of the new one for a moment.  Programs in
# a chroot could not make user namespaces.
cd "$root"
pivot_root . .
umount -l .
cd /
exec "$@"
