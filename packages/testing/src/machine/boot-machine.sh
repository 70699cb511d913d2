#!/bin/sh
# Run in new mount, PID, cgroup, IPC, UTS and network namespaces: becomes the init of a Debian system whose files are
# those of an image, with all changes in a folder of their own.
#
# boot-machine.sh image folder marker [source=target …] -- init [argument …]
set -eu
image=$1 folder=$2 marker=$3
shift 3

mount --make-rprivate /
mkdir -p "$folder/changes" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=$image,upperdir=$folder/changes,workdir=$folder/work" "$folder/root"
cd "$folder/root"

mount -t proc proc proc
# The kernel is the machine's own and must not be told anything from in here.
for knob in proc/sys proc/sysrq-trigger; do
	if [ -e $knob ]; then
		mount --bind $knob $knob
		mount -o remount,bind,ro $knob
	fi
done
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
: >"run/$marker"
mount -t tmpfs -o mode=755 tmpfs dev
for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
	# shellcheck disable=SC2086  # name, major and minor
	set_device() { mknod -m 666 "dev/$1" c "$2" "$3"; } && set_device $device
done
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mkdir -p dev/hugepages dev/mqueue dev/pts dev/shm old
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm

while [ "$1" != -- ]; do
	target=.${1#*=}
	if [ -d "${1%%=*}" ]; then mkdir -p "$target"; else mkdir -p "${target%/*}" && : >>"$target"; fi
	mount --bind "${1%%=*}" "$target"
	shift
done
shift

pivot_root . old
# shellcheck disable=SC2016  # expanded inside
exec chroot . /bin/sh -c 'umount -l /old && ip link set lo up && exec env -i container=test PATH=/usr/sbin:/usr/bin "$@"' sh "$@"
