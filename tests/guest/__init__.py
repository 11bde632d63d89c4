"""Boots the machines that the operator makes, and shows that each runs its Workload as a Pod would.

`make test-guest` boots the guest's image from the operator's own objects and looks at it from outside. What
KubeVirt would do between the two (virt-launcher, the node's kubelet) is done here in its way.
"""
