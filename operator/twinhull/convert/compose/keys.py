"""All keys of a Compose file, and how each is converted: the table for the docs page, and for the code.

Source: the Compose Specification (github.com/compose-spec/compose-spec, chapters 03 to 15, deploy.md, and
schema/compose-spec.json, as of June 2026). The table is written by hand. A key that is an option of `docker
run` has that option's fate. A key that isn't carried over is named with the sentence that it has here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twinhull.convert.docker.network import OF_NETWORK
from twinhull.convert.docker.options import OPTIONS, Fate


class Form(StrEnum):
    """How the value of a key is written, if the key is an option of `docker run`."""

    TEXT = "a text"
    TRUTH = "true or false"
    LIST = "a text, or a list"
    SETTINGS = "a mapping, or a list of NAME=VALUE, of which the option has NAME=VALUE"
    PAIRS = "a mapping, or a list of NAME=VALUE, of which the option has pairs"
    #: A module reads it.
    OWN = "its own"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a Compose file."""

    #: Its path, such as `services.*.deploy.mode`; `*` is any name, and `[]` an element of a list.
    path: str
    #: How it is converted.
    fate: Fate
    #: How it is converted, for people, and what to do.
    sentence: str
    #: The option of `docker run` that means the same, empty if there is none, or if its value has another
    #: form.
    option: str = ""
    #: How its value is written, if it is such an option.
    form: Form = Form.OWN
    #: Whether the keys below it are free, and not converted one by one.
    whole: bool = False
    #: Whether a module names it in other words if it is left out.
    has_own_sentence: bool = False


_H, _R, _L, _M = Fate.HONOURED, Fate.REFUSED_IN_PART, Fate.LEFT, Fate.MEANINGLESS


def _as(path: str, option: str, form: Form = Form.TEXT) -> Key:
    """A key of a service that means the same as an option of `docker run`."""
    run_option = OPTIONS[option]
    has_effect = run_option.fate in {_H, _R}
    sentence = f"as `--{option}`: {run_option.sentence}" if has_effect else run_option.sentence
    is_whole = form in {Form.PAIRS, Form.SETTINGS} or not has_effect
    return Key(f"services.*.{path}", run_option.fate, sentence, option, form, whole=is_whole)


def _of(path: str, fate: Fate, sentence: str, *, has_own_sentence: bool = False) -> Key:
    """A key of a service."""
    return Key(f"services.*.{path}", fate, sentence, has_own_sentence=has_own_sentence)


def _own(path: str, option: str) -> Key:
    """A key of a service that has the fate of an option, and is named by the module that reads it."""
    return _of(path, OPTIONS[option].fate, OPTIONS[option].sentence, has_own_sentence=True)


def _whole(path: str, fate: Fate, sentence: str) -> Key:
    return Key(path, fate, sentence, whole=True)


_TOP = (
    Key("version", _M, "Compose ignores it, too"),
    Key("name", _M, "the namespace that the objects are applied to stands for the project"),
    _whole("include", Fate.REFUSED, "merge the files with docker compose config first"),
    Key("services", _H, "each service is a Workload"),
    Key("services.*", _H, "a Workload of that name, with `-` for what a name can't have"),
    _whole("models", _L, "Kubernetes runs no models by itself: run a server of models as a Workload"),
    Key("networks", _H, "services that share no network are kept apart by NetworkPolicies"),
    Key("networks.*", _H, "services that share no network are kept apart by NetworkPolicies"),
    Key("networks.*.internal", _H, "a NetworkPolicy lets what has internal networks only reach nothing else"),
    Key("networks.*.name", _M, "a NetworkPolicy names services"),
    Key("networks.*.attachable", _M, "a NetworkPolicy names services"),
    *(
        _whole(f"networks.*.{key}", _L, "the cluster's network gives Pods their addresses")
        for key in ("driver", "driver_opts", "ipam", "enable_ipv4", "enable_ipv6")
    ),
    Key(
        "networks.*.external",
        _L,
        "what else is in that network is reached by its Service, or by its own name; `false` is what holds "
        "without it",
        whole=True,
        has_own_sentence=True,
    ),
    _whole("networks.*.labels", _L, "a network is no object in Kubernetes"),
    Key("volumes", _H, "each volume that a service mounts is a PersistentVolumeClaim"),
    Key(
        "volumes.*",
        _H,
        "a PersistentVolumeClaim of 1Gi, which is a guess; ReadWriteMany if several services mount it",
    ),
    Key("volumes.*.name", _H, "the name of the claim"),
    Key("volumes.*.external", _H, "the claim isn't made, and has to be there"),
    Key("volumes.*.external.name", _H, "the name of the claim"),
    Key(
        "volumes.*.driver",
        _L,
        "the cluster's StorageClass decides what a claim is made of: set storageClassName",
    ),
    _whole(
        "volumes.*.driver_opts",
        _L,
        "the claim is an empty one: make a PersistentVolume for such storage, and name it in the claim's "
        "volumeName",
    ),
    _whole(
        "volumes.*.labels", _H, "labels of the claim, or annotations if Kubernetes doesn't take the value"
    ),
    *(
        key
        for kind, what in (("secrets", "Secret"), ("configs", "ConfigMap"))
        for key in (
            Key(kind, _H, f"each is a {what}"),
            Key(f"{kind}.*", _H, f"a {what}, in which the key of that name has the content"),
            Key(f"{kind}.*.name", _H, f"the {what}'s name"),
            Key(f"{kind}.*.external", _H, f"the {what} has to be there"),
            Key(f"{kind}.*.external.name", _H, f"the {what}'s name"),
            Key(
                f"{kind}.*.file", _H, f"the {what} isn't made; the command that makes it of the file is named"
            ),
            Key(f"{kind}.*.template_driver", _L, "Kubernetes fills in no templates: write what is meant"),
        )
    ),
    Key(
        "secrets.*.environment",
        _H,
        "the Secret isn't made; the command that makes it of the variable is named",
    ),
    _whole("secrets.*.labels", _L, "set them on the Secret when you make it"),
    Key("secrets.*.driver", _L, "a Secret is kept by the API server: use an operator for external secrets"),
    _whole(
        "secrets.*.driver_opts",
        _L,
        "a Secret is kept by the API server: use an operator for external secrets",
    ),
    Key("configs.*.content", _H, "the ConfigMap's content"),
    Key("configs.*.environment", _H, "the ConfigMap's content, if the variable is set"),
    _whole(
        "configs.*.labels", _H, "labels of the ConfigMap, or annotations if Kubernetes doesn't take the value"
    ),
)
_BUILD = "a Workload runs an image of a registry: build it, and push it under the name that image has"
_ORDER = (
    "the Workloads are in that order in the output, but Kubernetes starts them together and doesn't wait; "
    "what comes too early has to try again, or be applied later"
)
_HOOK = "if it is one command, and nothing else is said of it"
_SERVICE = (
    _as("annotations", "annotation", Form.PAIRS),
    _of("attach", _M, "it is about what docker compose up prints"),
    _whole("services.*.build", _R, f"{_BUILD}; a service without image is refused"),
    _whole("services.*.blkio_config", _L, OPTIONS["blkio-weight"].sentence),
    _as("cap_add", "cap-add", Form.LIST),
    _as("cap_drop", "cap-drop", Form.LIST),
    _as("cgroup", "cgroupns"),
    _as("cgroup_parent", "cgroup-parent"),
    _of("command", _H, "`args`; a text is taken apart into words, as Compose does it"),
    _of(
        "container_name",
        _H,
        "a Service of that name, if another service asks for it in its variables, its commands or the "
        "`content` of its configs; else the Workload is reached by the service's name only",
    ),
    _as("cpu_count", "cpu-count"),
    _as("cpu_percent", "cpu-percent"),
    _as("cpu_period", "cpu-period"),
    _as("cpu_quota", "cpu-quota"),
    _as("cpu_rt_period", "cpu-rt-period"),
    _as("cpu_rt_runtime", "cpu-rt-runtime"),
    _as("cpu_shares", "cpu-shares"),
    _as("cpus", "cpus"),
    _as("cpuset", "cpuset-cpus"),
    _whole("services.*.credential_spec", _M, OPTIONS["cpu-count"].sentence),
    *(_of(f"depends_on{key}", _L, _ORDER, has_own_sentence=True) for key in ("", ".*", ".*.condition")),
    _of("depends_on.*.restart", _L, "Kubernetes restarts nothing because of another Workload"),
    _of("depends_on.*.required", _M, "Kubernetes waits for none of them"),
    _as("device_cgroup_rules", "device-cgroup-rule"),
    _as("devices", "device"),
    Key("services.*.dns", _H, "`dnsConfig.nameservers`, asked after the cluster's own", "dns", Form.LIST),
    _as("dns_opt", "dns-option", Form.LIST),
    _as("dns_search", "dns-search", Form.LIST),
    _as("domainname", "domainname"),
    _whole("services.*.develop", _M, "it is about developing on this computer"),
    _of("entrypoint", _H, "`command`; a text is taken apart into words, as Compose does it"),
    _of("env_file", _H, "`env`, with what the file has; a file outside of the folder isn't read"),
    _of("env_file[]", _H, "as `env_file`"),
    *(_of(f"env_file[].{key}", _H, "as `env_file`") for key in ("path", "required", "format")),
    Key("services.*.environment", _H, "`env`; `$(…)` in it stays as it is", whole=True),
    _as("expose", "expose", Form.LIST),
    Key("services.*.extends", _H, "the services are merged", whole=True),
    _whole("services.*.external_links", _L, OPTIONS["link"].sentence),
    _whole("services.*.extra_hosts", _H, f"as `--add-host`: {OPTIONS['add-host'].sentence}"),
    _of("gpus", _H, "the limit of `nvidia.com/gpu`, if it is a number; all else is left out"),
    _of("gpus[]", _H, "as `gpus`"),
    *(
        _whole(f"services.*.gpus[].{key}", _H, "as `gpus`")
        for key in ("driver", "count", "capabilities", "device_ids")
    ),
    _whole("services.*.gpus[].options", _L, "Kubernetes counts GPUs, and has no options for them"),
    _as("group_add", "group-add", Form.LIST),
    _of("healthcheck", _H, f"as `--health-cmd`: {OPTIONS['health-cmd'].sentence}"),
    _of(
        "healthcheck.disable",
        OPTIONS["no-healthcheck"].fate,
        f"{OPTIONS['no-healthcheck'].sentence}; `false` asks for that check, and is left out unless there is "
        "a `test`",
        has_own_sentence=True,
    ),
    _of("healthcheck.test", _H, "`readinessProbe.exec`"),
    _of("healthcheck.interval", _H, "`periodSeconds`"),
    _of("healthcheck.timeout", _H, "`timeoutSeconds`"),
    _of("healthcheck.retries", _H, "`failureThreshold`"),
    _own("healthcheck.start_period", "health-start-period"),
    _own("healthcheck.start_interval", "health-start-interval"),
    _as("hostname", "hostname"),
    _of("image", _H, "`image`, with its registry written out"),
    _as("init", "init", Form.TRUTH),
    _as("ipc", "ipc"),
    _as("isolation", "isolation"),
    _of("label_file", _H, "as `labels`, with what the file has"),
    _as("labels", "label", Form.PAIRS),
    _of("links", _H, "an alias is a Service of that name; the order is that of `depends_on`"),
    _whole("services.*.logging", _L, OPTIONS["log-driver"].sentence),
    _as("mac_address", "mac-address"),
    _as("mem_limit", "memory"),
    _as("mem_reservation", "memory-reservation"),
    _as("mem_swappiness", "memory-swappiness"),
    _as("memswap_limit", "memory-swap"),
    _whole(
        "services.*.models", _L, "Kubernetes runs no models by itself: run a server of models as a Workload"
    ),
    _as("network_mode", "network"),
    _of("networks", _H, "services that share no network are kept apart by NetworkPolicies"),
    _of("networks.*", _H, "services that share no network are kept apart by NetworkPolicies"),
    _of("networks.*.aliases", _H, "a Service of that name"),
    *(
        _whole(f"services.*.networks.*.{key}", _L, OPTIONS["ip"].sentence)
        for key in (
            "ipv4_address",
            "ipv6_address",
            "link_local_ips",
            "mac_address",
        )
    ),
    _whole("services.*.networks.*.driver_opts", _L, OF_NETWORK["driver-opt"]),
    _whole("services.*.networks.*.interface_name", _L, OF_NETWORK["interface_name"]),
    _of("networks.*.priority", _L, "a Pod has one network"),
    _of("networks.*.gw_priority", _L, "a Pod has one network"),
    _as("oom_kill_disable", "oom-kill-disable"),
    _as("oom_score_adj", "oom-score-adj"),
    _as("pid", "pid"),
    _as("pids_limit", "pids-limit"),
    _as("platform", "platform"),
    _of("ports", _H, f"as `--publish`: {OPTIONS['publish'].sentence}"),
    _of("ports[]", _H, "as `ports`"),
    *(_of(f"ports[].{key}", _H, "as `ports`") for key in ("target", "published", "host_ip", "protocol")),
    _of("ports[].name", _H, "the port's name, if it has 15 characters at most"),
    _of("ports[].app_protocol", _H, "`appProtocol` of the Service's port"),
    _of("ports[].mode", _M, "the Service has the port, on whatever node the hull is"),
    _of("post_start", _H, f"`lifecycle.postStart`, {_HOOK}"),
    _of("pre_stop", _H, f"`lifecycle.preStop`, {_HOOK}"),
    _of("pre_start", _H, "init containers, which run for each hull"),
    *(
        _of(f"{hook}[]{key}", _H, f"as `{hook}`")
        for hook in ("post_start", "pre_stop", "pre_start")
        for key in ("", ".command", ".user", ".privileged", ".working_dir")
    ),
    *(
        _whole(f"services.*.{hook}[].environment", _H, f"as `{hook}`")
        for hook in ("post_start", "pre_stop", "pre_start")
    ),
    _of("pre_start[].image", _H, "as `pre_start`"),
    _of("pre_start[].per_replica", _M, "a Workload is one Pod"),
    _as("privileged", "privileged", Form.TRUTH),
    _of("profiles", _H, "a service whose profiles aren't asked for is left out, and named"),
    _whole("services.*.provider", Fate.REFUSED, "something else than Compose runs the service"),
    _of("pull_policy", _H, "`imagePullPolicy`; `build`, `daily` and the like are left out"),
    _of("pull_refresh_after", _L, "Kubernetes pulls an image when a container starts: set imagePullPolicy"),
    _as("read_only", "read-only", Form.TRUTH),
    _as("restart", "restart"),
    _as("runtime", "runtime"),
    _of("scale", _H, "0 is `spec.state: Stopped`; a Workload is one Pod, so that more is left out"),
    _as("security_opt", "security-opt", Form.LIST),
    _as("shm_size", "shm-size"),
    _as("stdin_open", "interactive", Form.TRUTH),
    _as("stop_grace_period", "stop-timeout"),
    _as("stop_signal", "stop-signal"),
    _as("storage_opt", "storage-opt"),
    _as("sysctls", "sysctl", Form.SETTINGS),
    _as("tmpfs", "tmpfs", Form.LIST),
    _as("tty", "tty", Form.TRUTH),
    _as("ulimits", "ulimit"),
    _as("use_api_socket", "use-api-socket"),
    _as("user", "user"),
    _as("userns_mode", "userns"),
    _as("uts", "uts"),
    _of("volumes", _H, f"as `--volume`: {OPTIONS['volume'].sentence}"),
    _of("volumes[]", _H, "as `volumes`"),
    *(_of(f"volumes[].{key}", _H, "as `volumes`") for key in ("type", "source", "target", "read_only")),
    _of("volumes[].consistency", _M, "it tuned Docker Desktop's file sharing"),
    *(_of(f"volumes[].{key}", _H, "as `volumes`") for key in ("bind", "volume", "tmpfs", "image")),
    _of("volumes[].bind.propagation", _H, "`mountPropagation`"),
    _of("volumes[].bind.create_host_path", _M, "each node has the paths that are carried over"),
    _of("volumes[].bind.recursive", _L, "Kubernetes mounts what is below the path, too"),
    _of("volumes[].bind.selinux", _M, "the kubelet labels volumes for SELinux itself"),
    _whole("services.*.volumes[].volume.labels", _L, "set them on the claim"),
    _of("volumes[].volume.nocopy", _M, "Kubernetes copies nothing into a claim"),
    _of("volumes[].volume.subpath", _H, "`subPath`"),
    _of("volumes[].tmpfs.size", _H, "`sizeLimit`"),
    _of("volumes[].tmpfs.mode", _L, "an emptyDir has no mount options"),
    _of("volumes[].image.subpath", _H, "`subPath`"),
    _as("volumes_from", "volumes-from"),
    _as("working_dir", "workdir"),
    *(
        key
        for kind, what in (("secrets", "Secret"), ("configs", "ConfigMap"))
        for key in (
            _of(kind, _H, f"a file with the {what}'s content"),
            _of(f"{kind}[]", _H, f"a file with the {what}'s content"),
            *(_of(f"{kind}[].{name}", _H, f"as `{kind}`") for name in ("source", "target", "mode")),
            *(
                _of(
                    f"{kind}[].{name}",
                    _L,
                    "the file belongs to root, and to the Pod's fsGroup if you set one",
                )
                for name in ("uid", "gid")
            ),
        )
    ),
)
_UPDATE = "a Workload's hull is replaced as a whole: see spec.replacement"
_DEPLOY = (
    _of("deploy", _H, "see below"),
    _of(
        "deploy.mode",
        _H,
        "`replicated` is what a Workload is; `global` is left out, jobs are restartPolicy Never",
    ),
    _of("deploy.endpoint_mode", _H, "`dnsrr` is `service.headless`"),
    _of("deploy.replicas", _H, "0 is `spec.state: Stopped`; a Workload is one Pod, so that more is left out"),
    _whole("services.*.deploy.labels", _H, "labels of the Workload itself, or annotations"),
    _whole("services.*.deploy.rollback_config", _L, "apply the former manifest to go back"),
    _of("deploy.update_config", _H, "see below"),
    _of(
        "deploy.update_config.order",
        _H,
        "`start-first` is `replacement.strategy: StartFirst`, where it can be",
    ),
    *(
        _of(f"deploy.update_config.{key}", _L, _UPDATE)
        for key in ("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio")
    ),
    *(_of(f"deploy.resources{key}", _H, "see below") for key in ("", ".limits", ".reservations")),
    _of("deploy.resources.limits.cpus", _H, "`resources.limits.cpu`"),
    _of("deploy.resources.limits.memory", _H, "`resources.limits.memory`"),
    _of("deploy.resources.limits.pids", _L, OPTIONS["pids-limit"].sentence),
    _of("deploy.resources.reservations.cpus", _H, "`resources.requests.cpu`"),
    _of("deploy.resources.reservations.memory", _H, "`resources.requests.memory`"),
    _whole(
        "services.*.deploy.resources.reservations.generic_resources",
        _L,
        "set the resource of a device plugin in resources.limits",
    ),
    _of("deploy.resources.reservations.devices", _H, "as `gpus`"),
    _of("deploy.resources.reservations.devices[]", _H, "as `gpus`"),
    *(
        _whole(f"services.*.deploy.resources.reservations.devices[].{key}", _H, "as `gpus`")
        for key in ("driver", "count", "capabilities", "device_ids")
    ),
    _whole(
        "services.*.deploy.resources.reservations.devices[].options",
        _L,
        "Kubernetes counts GPUs, and has no options for them",
    ),
    _of("deploy.restart_policy", _H, "`restartPolicy`; it counts more than `restart`"),
    _of(
        "deploy.restart_policy.condition",
        _H,
        "`restartPolicy`: any is Always, on-failure is OnFailure, none is Never",
    ),
    *(
        _of(
            f"deploy.restart_policy.{key}",
            _L,
            "Kubernetes can't stop after a number of restarts: it goes on, and waits longer each time",
        )
        for key in ("delay", "max_attempts", "window")
    ),
    _of("deploy.placement", _H, "see below"),
    _of("deploy.placement.constraints", _H, "`nodeSelector` for `==` of labels, hostname, os and arch"),
    _whole(
        "services.*.deploy.placement.preferences",
        _L,
        "a Workload is one Pod, so that there is nothing to spread",
    ),
    _of("deploy.placement.max_replicas_per_node", _M, "a Workload is one Pod"),
)
#: The keys, by their paths.
KEYS: dict[str, Key] = {key.path: key for key in (*_TOP, *_SERVICE, *_DEPLOY)}
#: The keys of a service that mean an option of `docker run` and are honoured, by their names.
OF_OPTIONS = {
    key.path.rpartition(".")[2]: key
    for key in KEYS.values()
    if key.option and key.fate in {Fate.HONOURED, _R}
}
