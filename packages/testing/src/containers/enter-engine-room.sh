#!/bin/sh
# Run in new mount and PID namespaces: makes a Debian system with a container engine the root of this process and of all
# that joins it, says "ready", and reaps what ends in here. Nothing of it is seen outside.
#
# enter-engine-room.sh image folder [seen …]
#
# image   the system's files, which stay as they are
# folder  an empty one, for everything that is written: changes to the system, images, containers
# seen    folders of the machine that are seen in here under the same path
set -eu
image=$1 folder=$2
shift 2

mkdir "$folder/changes" "$folder/work" "$folder/root" "$folder/storage"
mount -t overlay overlay -o "lowerdir=$image,upperdir=$folder/changes,workdir=$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p var/lib/containers etc/containers
mount --bind "$folder/storage" var/lib/containers
for path in "$@"; do
	mkdir -p ".$path"
	mount --bind "$path" ".$path"
done

# What a container may have open and run is limited, since limits above this machine's own are refused; and crun needs
# cgroups of version 2 alone, runc does not.
cat >etc/containers/containers.conf <<-'END'
	[containers]
	default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
	[engine]
	cgroup_manager = "cgroupfs"
	runtime = "runc"
	events_logger = "file"
END
# In a network namespace of its own: the loopback device comes down into the world, and the name server of containers
# wants to know of another one, which nobody asks.
ip link set lo up
[ -s etc/resolv.conf ] || echo 'nameserver 192.0.2.1' >etc/resolv.conf
echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >etc/containers/policy.json

# Not chroot alone: what joins a container by its namespaces starts at the root of these.
mkdir old
pivot_root . old
exec chroot . /bin/sh -c 'umount -l /old && echo ready && exec /usr/libexec/podman/catatonit -P'
