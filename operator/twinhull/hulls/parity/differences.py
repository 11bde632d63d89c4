"""The list of differences between a machine and a Pod that no field of the template shows, with their causes.

Beyond this list a program sees the same in both.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """A difference: its subject, and what is different."""

    what: str
    how: str


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Kernel",
        (
            "The machine has a kernel of its own: uname, /proc, /sys and the devices are the machine's, and "
            "no other Pod runs in it."
        ),
    ),
    Difference(
        "Network interface",
        "The interface is the machine's, with an address behind KubeVirt's masquerade. The cluster knows "
        "the machine by the launcher Pod's address, which is also the value of `status.podIP`. All "
        "containers share the interface, as in a Pod.",
    ),
    Difference(
        "IPv6",
        "The guest asks for an IPv4 address only. A connection to an IPv6 address of the launcher Pod, or "
        "of a Service, reaches no container and times out, though the Workload is Ready. Leave IPv6 out of "
        "`spec.service.ipFamilies`.",
    ),
    Difference(
        "The clock",
        "The guest gets the time from its node (kvm-clock), and nothing else sets its clock. After a pause "
        "(PausedIOError, or somebody's) it is behind by as long as the machine was paused. Requests that "
        "are signed, and certificates, may then be refused: run `twinhull restart` after a long pause.",
    ),
    Difference(
        "Ports",
        "The guest itself uses 65250, 65251 and 65254, since the Pod has the machine's network.",
    ),
    Difference(
        "/etc/hosts",
        (
            "The first line is `# Kubernetes-managed hosts file (host network).`, since the Pod has the "
            "machine's network."
        ),
    ),
    Difference(
        "Variables of Services",
        "Only those of the API server (`KUBERNETES_SERVICE_HOST` and so on) are set, as with "
        "`enableServiceLinks: false`. The others need a kubelet that sees Services. Find Services by DNS. "
        "The guest asks the Pod's own DNS for the API server's address. With `dnsPolicy: Default` or `None` "
        "that DNS may not know the cluster. `KUBERNETES_SERVICE_HOST` is then a name that nothing resolves, "
        "where a Pod has an address: set the variable in the template's `env`.",
    ),
    Difference(
        "The node",
        "KubeVirt may move a machine while it runs. `spec.nodeName` and `status.hostIP` in variables keep "
        "the values of the node on which the machine started. Only an operator with `--guest-key-file` "
        "tells a machine the address of its node.",
    ),
    Difference(
        "Amounts without a limit",
        "A `resourceFieldRef` to a limit that isn't set gives the machine's own amount. In a Pod it gives "
        "the node's amount.",
    ),
    Difference(
        "ConfigMaps and Secrets in variables, and by subPath",
        "They keep the content that they had when the machine started. A Pod's container gets the new "
        "content when it restarts. The same holds for those that are mounted only by subPath. If a key is "
        "missing that isn't optional, no container of the machine starts. Add the key, then run `twinhull "
        "restart`. In a Pod only the container waits that refers to the key, and it starts once the key is "
        "there. Volumes that are mounted as a whole follow changes in both.",
    ),
    Difference(
        "Labels and annotations in volumes",
        "They are those of the template. In a Pod they follow changes of the Pod's metadata, and include "
        "the kubelet's own `kubernetes.io/config.seen` and `kubernetes.io/config.source`.",
    ),
    Difference(
        "Volumes in memory",
        "ConfigMaps, Secrets, tokens and projected volumes are in the machine's `/run`, one tmpfs for all "
        "of them. In a Pod each of them is a tmpfs of its own, and ConfigMaps are on the node's disk.",
    ),
    Difference(
        "Filesystem claims",
        "KubeVirt's virtiofsd shares them. It runs as user and group 107, and has no capabilities. Files "
        "that users 0 and 107 make belong to 107. Other users, such as an image's own, and processes with "
        "107 as a supplementary group, can use files as the modes allow, and can't make files. Nobody can "
        "change the owner of a file. Nodes give a claim's files to the launcher Pod's fsGroup 107, as they "
        "do for a Pod's own fsGroup. Locks and inotify work only within the machine. A claim that "
        "`spec.virtualMachine.claims` names isn't shared: it is a disk with an ext4, on which users and "
        "groups are as in a Pod, and [no Pod can read it](claims.md).",
    ),
    Difference(
        "Filesystem claims at the end",
        "If the operator ends the machine (by a flip, a new revision, or `spec.state: Stopped`), they stay "
        "mounted until the containers have ended, or until their grace period is over. This needs "
        "`--guest-key-file`, a guest that answers, and an API server that lets the operator annotate the "
        "machine. If somebody else ends the machine (by deleting the Workload, the VirtualMachine or its "
        "instance, or by an eviction or a drain that doesn't migrate it), KubeVirt ends virtiofsd within 2 "
        "s, and everything that containers write after that is lost. Block claims, and claims that are "
        "disks, stay until the machine's end.",
    ),
    Difference(
        "Ephemeral claims",
        "They are deleted with the VirtualMachine, as a Pod's are with the Pod. After a run to completion "
        "they are deleted soon, since the operator deletes the machine. A Pod that has completed stays, "
        "and so do its claims.",
    ),
    Difference(
        "Eviction",
        "A Pod that exceeds the `sizeLimit` of an emptyDir on disk, or a limit of ephemeral-storage, is "
        "evicted. In a machine nothing is evicted, since a kubelet never evicts a static Pod (Kubernetes, "
        "pkg/kubelet/eviction/eviction_manager.go, evictPod): the size of the machine's own disk is the "
        "bound. Limits of memory apply in both.",
    ),
    Difference(
        "A full disk",
        "If a node has no room left for a machine's own disk (image, emptyDir, log), the machine fails as "
        "a whole, as an evicted Pod does: its containers are killed within about 20 s of the first write "
        "that is lost. With `restartPolicy: Always` KubeVirt makes it anew. If the storage of a block "
        "claim is full, KubeVirt pauses the machine, and the status says PausedIOError: make room, and run "
        "`virtctl unpause vm`. The machine's clock is then behind (see The clock). In a Pod both writes "
        "fail, and its node evicts it, sometimes before a write fails.",
    ),
    Difference(
        "Images",
        "The machine pulls them itself whenever it starts. It doesn't know the mirrors and certificate "
        "authorities of the nodes: see `spec.virtualMachine.registries`.",
    ),
    Difference(
        "ServiceAccount",
        "The token is bound to the launcher Pod. The account's own `imagePullSecrets` and "
        "`automountServiceAccountToken` have no effect, since the API server applies them to Pods only, at "
        "their admission: set them in the template.",
    ),
    Difference(
        "Admission",
        "Webhooks, LimitRanges and Pod Security see the launcher Pod, and none of the template's images: "
        "IsolationPolicies have rules for those. A sidecar that is injected into the launcher Pod isn't in "
        "the machine.",
    ),
    Difference(
        "Probes",
        "They are sent from within the machine, so they come from the machine's own address. `grpc` probes "
        "go to localhost, the others to the machine's address: a gRPC server must listen on localhost, or "
        "on all addresses.",
    ),
    Difference(
        "kubectl logs, exec, attach and port-forward",
        "These reach the launcher Pod, not the containers. `twinhull logs`, `exec`, `attach`, `port-forward` "
        "and `cp` [reach the containers](reaching-in.md), as they do in a Pod. Without them, the containers' "
        "output is in the log of the launcher Pod's container `guest-console-log`.",
    ),
)
