#!/bin/sh
# Run in a new mount namespace: a Debian system with Chromium in it becomes the root, and Chromium runs there. It shares
# the machine's network; what it writes ends with it.
#
# enter-chromium-root.sh image folder [argument …]
#
# image   the system's files, which stay as they are
# folder  an empty one, for what is written
set -eu
image=$1 folder=$2
shift 2

mkdir -p "$folder/changes" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=$image,upperdir=$folder/changes,workdir=$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p tmp
mount -t tmpfs -o mode=1777 tmpfs tmp
exec chroot . env -i HOME=/tmp PATH=/usr/bin:/bin LANG=C.UTF-8 /usr/lib/chromium/chromium "$@"
