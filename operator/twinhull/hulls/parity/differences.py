"""Where a machine differs from a Pod in what no field of the template says, and why.

What a program sees in the one and in the other is equal beyond this list.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """What differs, and how."""

    what: str
    how: str


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Kernel",
        "The machine's own: uname, /proc, /sys and the devices are its, and no other Pod is in it.",
    ),
    Difference(
        "Network interface",
        "The machine's, with an address behind KubeVirt's masquerade. The cluster knows it by the launcher "
        "Pod's, which is what `status.podIP` gives. All containers share it, as they do in a Pod.",
    ),
    Difference(
        "Ports",
        "65250, 65251 and 65254 are the guest's own, since the Pod has the machine's network.",
    ),
    Difference(
        "/etc/hosts",
        "Its first line is `# Kubernetes-managed hosts file (host network).`, for the same reason.",
    ),
    Difference(
        "Variables of Services",
        "Only the API server's (`KUBERNETES_SERVICE_HOST` and so on) are set, as with `enableServiceLinks: "
        "false`. The others need a kubelet that sees Services; find them by DNS.",
    ),
    Difference(
        "The node",
        "KubeVirt may move a machine while it runs. `spec.nodeName` and `status.hostIP` in variables stay "
        "those of the node that it started on. The operator tells it the address, by `--guest-key-file`.",
    ),
    Difference(
        "Amounts without a limit",
        "A `resourceFieldRef` to a limit that isn't set gives what the machine has, and in a Pod what its "
        "node has.",
    ),
    Difference(
        "ConfigMaps and Secrets in variables, and by subPath",
        "As they were when the machine started, for as long as it runs. A Pod's container gets them anew "
        "when it restarts. So it is with those that are mounted only by subPath. Volumes that are mounted as "
        "a whole follow changes in both.",
    ),
    Difference(
        "Labels and annotations in volumes",
        "Those of the template. In a Pod they follow what is changed on the Pod while it runs, and the "
        "kubelet's own `kubernetes.io/config.seen` and `kubernetes.io/config.source` are among them.",
    ),
    Difference(
        "Volumes in memory",
        "ConfigMaps, Secrets, tokens and what is projected are in the machine's `/run`, a tmpfs that they "
        "share. In a Pod each is a tmpfs of its own, and ConfigMaps are on the node's disk.",
    ),
    Difference(
        "Filesystem claims",
        "Shared by KubeVirt's virtiofsd, which is user and group 107 and has no capabilities. What users 0 "
        "and 107 make there is 107's. Other users, such as an image's own, and who has group 107 beside "
        "another, can use what is there as its modes let them, and make nothing; nobody can give files away. "
        "Nodes give a claim's files to the launcher Pod's fsGroup, 107, as they do to a Pod's own. Locks and "
        "inotify reach no further than the machine.",
    ),
    Difference(
        "Filesystem claims at the end",
        "Kept until the containers have ended, or their grace period is over, where the operator ends the "
        "machine: a flip, a new revision, `spec.state: Stopped`. It needs `--guest-key-file`, a guest that "
        "answers when it is asked, and an API server that lets the machine be annotated. Where "
        "somebody else does, by deleting the Workload, the VirtualMachine or its instance, or by an eviction "
        "or a drain that doesn't migrate it, KubeVirt ends virtiofsd within 2 s, and what containers write "
        "after that is lost. Block claims are there until the end.",
    ),
    Difference(
        "Ephemeral claims",
        "Go with the VirtualMachine as a Pod's go with the Pod. That of a run which has ended goes soon: the "
        "operator deletes its machine, while a Pod that has ended stays, and its claims with it.",
    ),
    Difference(
        "Eviction",
        "A Pod that exceeds the `sizeLimit` of an emptyDir on disk, or a limit of ephemeral-storage, is "
        "evicted. In a machine nothing is, since a kubelet never evicts a static Pod (Kubernetes, "
        "pkg/kubelet/eviction/eviction_manager.go, evictPod): the machine's own disk is the bound. Limits of "
        "memory hold in both.",
    ),
    Difference(
        "A full disk",
        "If a node has no room left for a machine's own disk (image, emptyDir, log), the machine fails as a "
        "whole, as an evicted Pod does: its containers are killed within about 20 s of the first write that "
        "is lost. By `restartPolicy: Always` KubeVirt makes it anew. For a write to a block claim whose "
        "storage is full, KubeVirt pauses the machine, and the status says PausedIOError: make room, and "
        "`virtctl unpause vm`. In a Pod both writes fail, and its node evicts it, in the best case before.",
    ),
    Difference(
        "Images",
        "The machine pulls them itself whenever it starts. Mirrors and certificate authorities that the "
        "nodes know don't reach it: see `spec.virtualMachine.registries`.",
    ),
    Difference(
        "ServiceAccount",
        "The token is bound to the launcher Pod. The account's own `imagePullSecrets` and "
        "`automountServiceAccountToken` don't count, since the API server applies them to Pods as it admits "
        "them: say them in the template.",
    ),
    Difference(
        "Admission",
        "Webhooks, LimitRanges and Pod Security see the launcher Pod, and so none of the template's images: "
        "IsolationPolicies have rules for those. A sidecar that is injected there isn't "
        "in the machine.",
    ),
    Difference(
        "Probes",
        "Sent from within the machine, so the address that they come from is its own.",
    ),
    Difference(
        "kubectl logs, exec, attach and port-forward",
        "Reach the launcher Pod, not the containers. Their lines are in the log of its container "
        "`guest-console-log`.",
    ),
)
