"""All options of `docker run`, and how each is converted: the table for the docs page, and for the code.

Source: docker run's reference (docs.docker.com/reference/cli/docker/container/run, version 29) and, for
options that only `podman run` has, docs.podman.io (version 5). The modules beside this one read the honoured
options. The others are named with their sentence here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twinhull.convert.conversion import LeftKind


class Fate(StrEnum):
    """How an option is converted."""

    #: The Workload, or an object beside it, has it. Values that can't be carried over are named.
    HONOURED = "honoured"
    #: Some of its values end the conversion: without them the container would be a different one, or a less
    #: isolated one.
    REFUSED_IN_PART = "honoured, or refused"
    #: It ends the conversion of the input, or of a service.
    REFUSED = "refused"
    #: It isn't carried over. It is named with the reason.
    LEFT = "left out"
    #: It is about Docker's own command line or its host, and not about what runs. It is named, too.
    MEANINGLESS = "without meaning here"


def kind_of(fate: Fate) -> LeftKind:
    """The kind of message about an option, or a key of Compose, that isn't carried over."""
    return LeftKind.MEANINGLESS if fate is Fate.MEANINGLESS else LeftKind.LOST


class Takes(StrEnum):
    """The values of an option on the command line."""

    NOTHING = "nothing"
    ONE = "one value"
    MANY = "a value each time"


@dataclass(frozen=True, slots=True)
class Option:
    """An option of `docker run`."""

    name: str
    takes: Takes
    fate: Fate
    #: How it is honoured, or why it isn't.
    sentence: str
    #: Its short form, empty if it has none.
    letter: str = ""
    #: Its other names.
    others: tuple[str, ...] = ()
    #: Whether only Podman has it.
    podman: bool = False


_NODES_RUNTIME = "a Pod has no field for it: set it in the configuration of the node's container runtime"
_NODES_KUBELET = "a Pod has no field for it: set it in the kubelet's configuration"
_DISKS = "Kubernetes doesn't limit what a container reads and writes: choose a StorageClass that does"
_ADDRESS = "the cluster's network gives a Pod its address: reach the Workload by its Service"
_WINDOWS = "it is for containers of Windows, and a Workload runs Linux"
_CLIENT = "it is about the command line that starts the container"
_REALTIME = "Kubernetes has no real-time CPU time"


def _flag(name: str, fate: Fate, sentence: str, letter: str = "") -> Option:
    return Option(name, Takes.NOTHING, fate, sentence, letter)


def _one(name: str, fate: Fate, sentence: str, letter: str = "", *others: str) -> Option:
    return Option(name, Takes.ONE, fate, sentence, letter, others)


def _many(name: str, fate: Fate, sentence: str, letter: str = "", *others: str) -> Option:
    return Option(name, Takes.MANY, fate, sentence, letter, others)


_H, _R, _L, _M = Fate.HONOURED, Fate.REFUSED_IN_PART, Fate.LEFT, Fate.MEANINGLESS

_DOCKER = (
    _many("add-host", _H, "`hostAliases`; `host-gateway` is left out"),
    _many("annotation", _H, "an annotation of the template, unless its key has a prefix with a `/`"),
    _many("attach", _M, _CLIENT, "a"),
    _one("blkio-weight", _L, _DISKS),
    _many("blkio-weight-device", _L, _DISKS),
    _many("cap-add", _H, "`capabilities.add`"),
    _many("cap-drop", _H, "`capabilities.drop`"),
    _one("cgroup-parent", _M, "the kubelet chooses a Pod's cgroup"),
    _one("cgroupns", _H, "`private` is what a Pod has; `host` is left out"),
    _one("cidfile", _M, "a hull's name is in status.hull.name"),
    _one("cpu-count", _M, _WINDOWS),
    _one("cpu-percent", _M, _WINDOWS),
    _one("cpu-period", _H, "with `--cpu-quota`, `resources.limits.cpu`"),
    _one("cpu-quota", _H, "divided by `--cpu-period`, `resources.limits.cpu`"),
    _one("cpu-rt-period", _L, _REALTIME),
    _one("cpu-rt-runtime", _L, _REALTIME),
    _one("cpu-shares", _H, "`resources.requests.cpu`: 1024 shares are one CPU, as for the kubelet", "c"),
    _one("cpus", _H, "`resources.limits.cpu`"),
    _one("cpuset-cpus", _L, "the kubelet's CPU manager chooses CPUs: set whole CPUs as requests and limits"),
    _one("cpuset-mems", _L, "the kubelet's memory manager chooses NUMA nodes"),
    _flag("detach", _M, "a Workload always runs in the background", "d"),
    _one("detach-keys", _M, _CLIENT),
    _many("device", _L, "a Pod gets devices by a device plugin: add its resource to resources.limits"),
    _many(
        "device-cgroup-rule",
        _L,
        "a Pod gets devices by a device plugin: add its resource to resources.limits",
    ),
    *(_many(f"device-{way}-{what}", _L, _DISKS) for way in ("read", "write") for what in ("bps", "iops")),
    _flag("disable-content-trust", _M, "Docker ignores it, too"),
    _many("dns", _H, "`dnsConfig.nameservers`, with `dnsPolicy: None`"),
    _many("dns-option", _H, "`dnsConfig.options`", "", "dns-opt"),
    _many("dns-search", _H, "`dnsConfig.searches`"),
    _one(
        "domainname",
        _L,
        "a Pod's domain is its Service's: set hostname and subdomain, with a headless Service",
    ),
    _one("entrypoint", _H, "`command`"),
    _many("env", _H, "`env`; `$(…)` in it stays as it is", "e"),
    _many("env-file", _H, "`env`, with what the file has"),
    _many("expose", _H, "`ports`, and the Workload's Service"),
    _one("gpus", _H, "a number is the limit of `nvidia.com/gpu`; `all` and devices by name are left out"),
    _many("group-add", _H, "`supplementalGroups`, if it is a number"),
    _one(
        "health-cmd",
        _H,
        "`readinessProbe`: Docker restarts nothing because of it, so it is no `livenessProbe`",
    ),
    _one("health-interval", _H, "`periodSeconds`"),
    _one("health-retries", _H, "`failureThreshold`"),
    _one(
        "health-start-interval",
        _L,
        "a readiness probe has one interval: set periodSeconds lower for a container that starts fast",
    ),
    _one(
        "health-start-period",
        _M,
        "a container isn't Ready before its first success, and nothing restarts it: no field is needed",
    ),
    _one("health-timeout", _H, "`timeoutSeconds`"),
    _flag("help", _M, _CLIENT),
    _one("hostname", _H, "`hostname`, if it is one DNS label", "h"),
    _flag(
        "init", _H, "`shareProcessNamespace`: the Pod's own first process then ends zombies and isn't yours"
    ),
    _flag("interactive", _H, "`stdin`", "i"),
    _one("io-maxbandwidth", _M, _WINDOWS),
    _one("io-maxiops", _M, _WINDOWS),
    _one("ip", _L, _ADDRESS),
    _one("ip6", _L, _ADDRESS),
    _one("ipc", _R, "`host` is `hostIPC`; another container's is refused"),
    _one("isolation", _R, f"{_WINDOWS}; all but `default` is refused"),
    _one("kernel-memory", _M, "Docker ignores it, too"),
    _many("label", _H, "a label of the template, or an annotation if Kubernetes doesn't take the value", "l"),
    _many("label-file", _H, "as `--label`, with what the file has"),
    _many("link", _L, "a Workload is reached by the name of its Service: call it so, or change who asks"),
    _many("link-local-ip", _L, _ADDRESS),
    _one(
        "log-driver",
        _L,
        "the node keeps what a container prints: twinhull logs shows it, and an agent ships it",
    ),
    _many("log-opt", _L, "the kubelet says how much is kept: containerLogMaxSize and containerLogMaxFiles"),
    _one("mac-address", _L, _ADDRESS),
    _one("memory", _H, "`resources.limits.memory`", "m"),
    _one("memory-reservation", _H, "`resources.requests.memory`"),
    _one("memory-swap", _H, "as much as `--memory` is what a Pod has; all else is left out"),
    _one("memory-swappiness", _L, _NODES_KUBELET),
    _many("mount", _H, "as `--volume`; `type=image` is an `image` volume"),
    _one("name", _H, "`metadata.name`, in lower case and with `-`"),
    _many(
        "network",
        _R,
        "`host` is `hostNetwork`; `none` a NetworkPolicy; another container's is refused",
        "",
        "net",
    ),
    _many(
        "network-alias",
        _H,
        "a Service of that name, as is each `alias` in the long form of `--network`",
        "",
        "net-alias",
    ),
    _flag("no-healthcheck", _M, "Kubernetes doesn't see the image's own check"),
    _flag("oom-kill-disable", _L, "Kubernetes never turns it off: set a higher limit of memory"),
    _one("oom-score-adj", _L, "the kubelet sets it by requests and limits"),
    _one("pid", _R, "`host` is `hostPID`; another container's is refused"),
    _one("pids-limit", _L, f"{_NODES_KUBELET} (podPidsLimit)"),
    _one("platform", _H, "`nodeSelector` of kubernetes.io/os and kubernetes.io/arch"),
    _flag("privileged", _H, "`privileged`"),
    _many("publish", _H, "`ports`, and the Service's ports; from outside the Service isn't reached", "p"),
    _flag("publish-all", _L, "only Docker knows what the image exposes: add its ports to the template", "P"),
    _one("pull", _H, "`imagePullPolicy`"),
    _flag("quiet", _M, _CLIENT, "q"),
    _flag("read-only", _H, "`readOnlyRootFilesystem`"),
    _one(
        "restart",
        _H,
        "`restartPolicy`: always and unless-stopped are Always, on-failure is OnFailure, no is Never",
    ),
    _flag("rm", _M, "a Workload that has completed stays, so that its exit code can be read: delete it"),
    _one("runtime", _H, "`runsc` and `kata` are isolation Sandbox; other runtimes are left out"),
    _many(
        "security-opt",
        _H,
        "`seccompProfile`, `appArmorProfile`, `seLinuxOptions`, `allowPrivilegeEscalation`",
    ),
    _one("shm-size", _H, "an `emptyDir` in memory at /dev/shm"),
    _flag("sig-proxy", _M, _CLIENT),
    _one(
        "stop-signal",
        _L,
        "the field is alpha in Kubernetes 1.37: the image's STOPSIGNAL holds, or set preStop",
    ),
    _one("stop-timeout", _H, "`terminationGracePeriodSeconds`"),
    _many(
        "storage-opt",
        _L,
        "a container's own files have no size of their own: set a limit of ephemeral-storage",
    ),
    _many("sysctl", _H, "`securityContext.sysctls` of the Pod"),
    _many("tmpfs", _H, "an `emptyDir` in memory"),
    _flag("tty", _H, "`tty`", "t"),
    _many("ulimit", _L, _NODES_RUNTIME),
    _flag("use-api-socket", _L, "a node has no Docker: have the program use the API server"),
    _one("user", _H, "`runAsUser` and `runAsGroup`, if they are numbers; by name it is `runAsNonRoot`", "u"),
    _one("userns", _H, "`host` is what a Pod has, Podman's `auto` is `hostUsers: false`"),
    _one("uts", _L, "a Pod has a host name of its own, unless it has the host's network"),
    _many(
        "volume",
        _H,
        "a volume is a PersistentVolumeClaim; a path of the host is left out, unless each node has it",
        "v",
    ),
    _one("volume-driver", _L, "the cluster's StorageClass decides what a claim is made of"),
    _many("volumes-from", _L, "a Workload mounts claims by their names: mount the other container's"),
    _one("workdir", _H, "`workingDir`", "w"),
)


_OF_PODMAN = (
    _one("arch", _L, "use --platform"),
    _one("authfile", _L, "make a Secret of it, and name that in imagePullSecrets"),
    _one("cgroups", _M, "the kubelet chooses a Pod's cgroup"),
    _one("conmon-pidfile", _M, "it is a file of Podman's"),
    _one("creds", _L, "make a Secret of it, and name that in imagePullSecrets"),
    _many("gidmap", _L, "Kubernetes maps users as it chooses, or not at all: set hostUsers to false"),
    _flag("env-host", _L, "a Pod has none of this host's variables: add those that matter to env"),
    _one("group-entry", _L, "a Pod's /etc/group is the image's: put the group into the image"),
    _one("health-log-destination", _M, "it is about Podman's log of its checks"),
    _one("health-max-log-count", _M, "it is about Podman's log of its checks"),
    _one("health-max-log-size", _M, "it is about Podman's log of its checks"),
    _one("health-on-failure", _L, "a readiness probe ends nothing: add a livenessProbe for all but none"),
    *(
        _one(f"health-startup-{name}", _L, "add a startupProbe to the container")
        for name in ("cmd", "interval", "retries", "success", "timeout")
    ),
    _one("hosts-file", _L, "the kubelet writes /etc/hosts: add hostAliases"),
    _one("http-proxy", _L, "a Pod has none of this host's variables: add those of the proxy to env"),
    _one("image-volume", _L, "Kubernetes makes nothing of the image's VOLUMEs: mount claims there"),
    _one("init-path", _L, "shareProcessNamespace has an init of its own"),
    _flag("no-hosts", _L, "the kubelet writes /etc/hosts"),
    _one("os", _L, "use --platform"),
    _flag("passwd", _L, "a Pod's /etc/passwd is the image's: put the user into the image"),
    _one("passwd-entry", _L, "a Pod's /etc/passwd is the image's: put the user into the image"),
    _one("pidfile", _M, "it is a file of Podman's"),
    _one("pod", _L, "add this container to the template of the Pod's Workload"),
    _one("pod-id-file", _L, "add this container to the template of the Pod's Workload"),
    _flag(
        "read-only-tmpfs",
        _L,
        "with readOnlyRootFilesystem, mount an emptyDir at /run, /tmp and /var/tmp each",
    ),
    _flag("replace", _M, "kubectl apply changes the Workload of that name"),
    _many("requires", _L, "Kubernetes starts Workloads in any order"),
    _one("retry", _M, "the kubelet pulls an image again until it succeeds"),
    _one("retry-delay", _M, "the kubelet pulls an image again until it succeeds"),
    _flag("rmi", _M, "the kubelet removes images that nothing uses"),
    _one("sdnotify", _M, "systemd doesn't start the container: use a readiness probe"),
    _many("secret", _L, "make a Secret, and mount it, or give it to env by valueFrom.secretKeyRef"),
    _one("subgidname", _L, "Kubernetes maps users as it chooses, or not at all: set hostUsers to false"),
    _one("subuidname", _L, "Kubernetes maps users as it chooses, or not at all: set hostUsers to false"),
    _one("systemd", _L, "a Pod has no writable cgroup of its own"),
    _one("timeout", _L, "set spec.template.spec.activeDeadlineSeconds"),
    _flag(
        "tls-verify",
        _L,
        "the node's runtime knows its registries, and a machine spec.virtualMachine.registries",
    ),
    _one("tz", _L, "set the variable TZ"),
    _many("uidmap", _L, "Kubernetes maps users as it chooses, or not at all: set hostUsers to false"),
    _one("umask", _L, "a Pod has no umask: set it in the command"),
    _many("unsetenv", _L, "Kubernetes can't take a variable away from the image: set it to nothing in env"),
    _flag(
        "unsetenv-all", _L, "Kubernetes can't take a variable away from the image: set it to nothing in env"
    ),
    _one("variant", _L, "use --platform"),
)
#: The options, by their names.
OPTIONS: dict[str, Option] = {
    **{option.name: option for option in _DOCKER},
    **{
        option.name: Option(
            option.name, option.takes, option.fate, option.sentence, option.letter, option.others, podman=True
        )
        for option in _OF_PODMAN
    },
}
