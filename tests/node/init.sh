#!/bin/bash
# The first process of a node: makes the node's file systems, then only stays. Its end is the node's.
#   init.sh <folder of the node> <root file system> <name> <address> <gateway>
set -euo pipefail
node=$1 lower=$2 name=$3 address=$4 gateway=$5
root=$node/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$node/upper,workdir=$node/work" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys

# The same kind of cgroups as the machine's. This process is in a cgroup of the node's, which is the root here.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup sys/fs/cgroup
  mkdir sys/fs/cgroup/init # no process may be in a group that gives controllers to its children
  echo $$ > sys/fs/cgroup/init/cgroup.procs
  for controller in $(cat sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" > sys/fs/cgroup/cgroup.subtree_control
  done
else
  mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
  while read -r controller _ _ enabled; do
    [ "$enabled" = 1 ] || continue
    mkdir "sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller" || rmdir "sys/fs/cgroup/$controller"
  done < <(grep -v '^#' /proc/cgroups)
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi

mount -t tmpfs -o mode=755 dev dev
device() { mknod -m "$4" "dev/$1" c "$2" "$3"; }
mkdir dev/net dev/pts dev/shm dev/mqueue
device null 1 3 666
device zero 1 5 666
device full 1 7 666
device random 1 8 666
device urandom 1 9 666
device tty 5 0 666
device kmsg 1 11 600
device fuse 10 229 666
device net/tun 10 200 666
device loop-control 10 237 600
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "dev/${number#*:}"; done
mount -t tmpfs shm dev/shm
mount -t mqueue mqueue dev/mqueue
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp

# Where containers' files are can't be an overlay itself; logs are for who starts the node.
for pair in containerd:var/lib/containerd kubelet:var/lib/kubelet log:var/log share:share claims:claims; do
  mkdir -p "${pair#*:}"
  mount --bind "$node/${pair%%:*}" "${pair#*:}"
done

# A kubelet sets these for the whole machine: it gets copies to set.
mkdir run/sysctl
for path in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  copy=run/sysctl/${path//\//-}
  cat "/proc/sys/$path" > "$copy"
  mount --bind "$copy" "proc/sys/$path"
done

pivot_root . oldroot
cd /
umount -l /oldroot
mount --make-rshared /
hostname "$name"
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" > /etc/hosts
printf 'nameserver %s\n' "$gateway" > /etc/resolv.conf
ip link set lo up
until ip link show eth0 > /dev/null 2>&1; do sleep 0.05; done # it is put here from outside
ip address add "$address/24" dev eth0
ip link set eth0 up
ip route add default via "$gateway"
echo 1 > /proc/sys/net/ipv4/ip_forward
touch /share/ready
while :; do
  sleep 3600 &
  wait $! || true
done
