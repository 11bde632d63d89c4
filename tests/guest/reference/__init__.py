"""The reference: a real node of the test control plane, whose kubelet runs a Workload's Pod hull.

It is the guest's own image, with the same kernel, containerd, crun and kubelet, and one program exchanged:
guest/agent/cmd/reference-node. So what differs between a Pod there and the same Pod in a machine comes from
how the two are told of it, and not from what runs it. What it can't show is what another node would do: one
with another kernel, runtime, cgroup driver or network.
"""
