"""Real KubeVirt nodes on this machine: kubelet, containerd, virt-handler, virt-launcher, libvirt, QEMU."""
