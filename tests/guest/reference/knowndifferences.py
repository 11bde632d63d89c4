"""The differences that are expected, each with its reason.

Those that a user can meet are named as in twinhull/hulls/parity/differences.py, from where docs/parity.md has
them; the others come from how the two hulls are run here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.guest.reference.comparison import Explanation

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCOUNT = r"/var/run/secrets/kubernetes\.io/serviceaccount"
#: The address that QEMU's user network gives to every machine.
_MASQUERADED = "10.0.2.15"
_API_SERVER = ("10.0.0.1", "kubernetes.default.svc.cluster.local")
#: Where the templates mount what the guest's agent writes, and where ConfigMaps are among that.
_CONFIGS = r"/v/(config|some|one/app\.conf)"
_WRITTEN = rf"({_ACCOUNT}|{_CONFIGS}|/v/(hidden|open|absent|pod|all))"
_MANAGED = ("# Kubernetes-managed hosts file.\n", "# Kubernetes-managed hosts file (host network).\n")


def _any(pod: object, machine: object) -> bool:
    """Both have something there."""
    return isinstance(pod, str) and isinstance(machine, str) and bool(pod) and bool(machine)


def _replaced(*pairs: tuple[str, str]) -> Callable[[object, object], bool]:
    """The same text, once these are replaced in the Pod's."""

    def fits(pod: object, machine: object) -> bool:
        text = str(pod)
        for before, after in pairs:
            text = text.replace(before, after)
        return text == machine

    return fits


def _without(pattern: str) -> Callable[[object, object], bool]:
    """The same options, less those that match."""

    def fits(pod: object, machine: object) -> bool:
        if not isinstance(pod, list) or not isinstance(machine, list):
            return False
        left, right = ([one for one in of if not re.fullmatch(pattern, str(one))] for of in (pod, machine))
        return left == right

    return fits


def _numbers(pod: object, machine: object) -> bool:
    """Whole numbers on both sides."""
    return all(
        str(number).isdecimal() for of in (pod, machine) for number in (of if isinstance(of, list) else [of])
    )


KNOWN_DIFFERENCES: tuple[Explanation, ...] = (
    Explanation(
        r"files\./etc/hosts\.text",
        "the Pod shares the machine's network, so the kubelet says so, and its own address is the one behind "
        "the masquerade",
        _replaced(_MANAGED, ("<address>", _MASQUERADED)),
        of="/etc/hosts",
    ),
    Explanation(
        r"env\.KUBERNETES_(SERVICE_HOST|PORT|PORT_443_TCP|PORT_443_TCP_ADDR)",
        "the guest asks the cluster's DNS for the API server's address, and uses the name where there is no "
        "DNS, as here",
        _replaced(_API_SERVER),
        of="Variables of Services",
    ),
    Explanation(
        rf"files\.(?:{_ACCOUNT}|/v/all)(/\.\.<time>|/\.\.data)?/(token|ca\.crt)\.text",
        "the cluster's own in the Pod; in the machine, the words that the harness puts where KubeVirt would "
        "put them",
        _any,
        of="ServiceAccount",
    ),
    Explanation(
        r"limits\.Max pending signals",
        "the kernel works it out from its memory (kernel/fork.c, set_max_threads)",
        _numbers,
        of="Kernel",
    ),
    Explanation(
        r"oomScoreAdj",
        "the kubelet works it out from the memory requested and the node's (pkg/kubelet/qos/policy.go)",
        _numbers,
        of="Kernel",
    ),
    Explanation(
        r"devices",
        "KubeVirt gives each machine a port for QEMU's guest agent, which a privileged container sees; the "
        "reference node has none",
        _without(r"vport\d+p\d+"),
    ),
    Explanation(
        r"mounts\./proc/.*\.super",
        "runtimes mask these with a device of the machine, whose /dev is as large as its memory allows",
        _without("size=.*k|nr_inodes=.*"),
        of="Kernel",
    ),
    Explanation(
        r"mounts\./sys/fs/cgroup\.super",
        "the first privileged container takes these options away from all that run: it has the node's cgroup "
        "namespace, and crun mounts cgroup2 anew in it, without options (kernel/cgroup/cgroup.c, "
        "apply_cgroup_root_flags). The node has had one by then, and the machine only has its own",
        _without("nsdelegate|memory_recursiveprot"),
        of="Kernel",
    ),
    Explanation(
        rf"mounts\.{_WRITTEN}\.super",
        "a volume in memory is a tmpfs of its own in a Pod, and part of the machine's /run in the machine; "
        "neither is ever on a disk, since the machine has no swap",
        _without("size=.*k|noswap|mode=755|inode64"),
        of="Volumes in memory",
    ),
    Explanation(
        rf"mounts\.{_CONFIGS}\.kind",
        "a ConfigMap's files are on the node's disk, and in the machine's /run in the machine",
        lambda pod, machine: (pod, machine) == ("ext4", "tmpfs"),
        of="Volumes in memory",
    ),
    Explanation(
        rf"mounts\.{_CONFIGS}\.options",
        "as above: the disk is mounted with noatime, and /run isn't",
        _without("noatime|relatime"),
        of="Volumes in memory",
    ),
    Explanation(
        r"files\./v/pod(/\.\.<time>|/\.\.data)?/annotations\.text",
        "the kubelet marks each Pod with when and whence it has it",
        lambda pod, machine: re.sub(r"kubernetes\.io/config\.\w+=.*\n", "", str(pod)) == machine,
        of="Labels and annotations in volumes",
    ),
)
