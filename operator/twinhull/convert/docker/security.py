"""What a container may do: its capabilities, seccomp, AppArmor, SELinux, and the host's namespaces.

Sources: docker run's reference (`--security-opt`, `--cap-add`, `--privileged`, `--userns`, `--pid`, `--ipc`);
docs.docker.com/engine/security; k8s.io/api/core/v1 (SecurityContext).

Docker confines every container by its seccomp profile; Kubernetes does so only if a Pod asks for it. So a
Workload asks for the runtime's own profile, unless the input asks for another: no container is less confined
than it was.
"""

from __future__ import annotations

import re

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Draft, Refused
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue

_CAPABILITY = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
_SECCOMP = {"unconfined": "Unconfined", "builtin": "RuntimeDefault"}
_APPARMOR = {
    "unconfined": {"type": "Unconfined"},
    "docker-default": {"type": "RuntimeDefault"},
    "runtime/default": {"type": "RuntimeDefault"},
}
_SELINUX = ("user", "role", "type", "level")


def security(options: GivenOptions, draft: Draft) -> None:
    """The container's permissions, and the namespaces that it shares with its node."""
    privileged = options.is_true("privileged")
    if privileged:
        draft.security["privileged"] = True
    if options.is_true("read-only"):
        draft.security["readOnlyRootFilesystem"] = True
    _capabilities(options, draft)
    for option in options.take("security-opt"):
        _option(option, draft, privileged=privileged)
    if not privileged:
        draft.security.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    _namespaces(options, draft)


def may_bind(draft: Draft) -> bool:
    """Whether a container has the capability to listen at ports below 1024, as far as the input tells. Root
    has it, unless it is dropped. Other users don't have it, even if it is added (Linux, capabilities: an exec
    by another user clears capabilities that aren't ambient). A container whose user is the image's may run as
    root.
    """
    if draft.security.get("runAsUser", 0) != 0 or draft.security.get("runAsNonRoot"):
        return False
    if draft.security.get("privileged"):
        return True
    capabilities = draft.security.get("capabilities", {})
    dropped, added = capabilities.get("drop", []), capabilities.get("add", [])
    is_added = "NET_BIND_SERVICE" in added or "ALL" in added
    return "NET_BIND_SERVICE" not in dropped and ("ALL" not in dropped or is_added)


def _capabilities(options: GivenOptions, draft: Draft) -> None:
    capabilities: Raw = {}
    for name, field in (("cap-add", "add"), ("cap-drop", "drop")):
        listed: list[str] = []
        for value in options.take(name):
            capability = str(value.value).strip().upper().removeprefix("CAP_")
            if not _CAPABILITY.fullmatch(capability):
                raise CannotConvert(f"{value.path}: {str(value.value)[:40]!r} is no capability: correct it")
            if capability not in listed:
                listed.append(capability)
        if listed:
            capabilities[field] = listed
    if capabilities:
        draft.security["capabilities"] = capabilities


def _option(option: InputValue, draft: Draft, *, privileged: bool) -> None:
    text = str(option.value).strip()
    key, separator, value = text.partition("=")
    if not separator:
        key, separator, value = text.partition(":")
    match key:
        case "no-new-privileges":
            _no_new_privileges(option, value, draft, privileged=privileged)
        case "seccomp":
            _seccomp(option, value, draft)
        case "apparmor" if value:
            profile = {"type": "Localhost", "localhostProfile": value}
            draft.security["appArmorProfile"] = dict(_APPARMOR.get(value, profile))
        case "label":
            _label(option, value, draft)
        case "systempaths":
            draft.leave(
                option, "Kubernetes unmasks /proc in user namespaces only: set hostUsers and procMount"
            )
        case _:
            draft.leave(option, "Kubernetes has nothing like it")


def _no_new_privileges(option: InputValue, value: str, draft: Draft, *, privileged: bool) -> None:
    if value == "false":
        draft.security["allowPrivilegeEscalation"] = True
    elif value not in {"", "true"}:
        raise CannotConvert(f"{option.path}: {value[:40]!r} is neither true nor false: correct it")
    elif privileged or "SYS_ADMIN" in draft.security.get("capabilities", {}).get("add", []):
        draft.leave(option, "Kubernetes refuses it for a container that is privileged or has SYS_ADMIN")
    else:
        draft.security["allowPrivilegeEscalation"] = False


def _seccomp(option: InputValue, value: str, draft: Draft) -> None:
    if value in _SECCOMP:
        draft.security["seccompProfile"] = {"type": _SECCOMP[value]}
    else:
        draft.leave(
            option,
            "the profile is a file of this host: put it on the nodes, and set seccompProfile to type "
            "Localhost; until then the runtime's own profile holds",
        )


def _label(option: InputValue, value: str, draft: Draft) -> None:
    key, separator, name = value.partition(":")
    if separator and key in _SELINUX and name:
        draft.security.setdefault("seLinuxOptions", {})[key] = name
    else:
        draft.leave(
            option,
            "a Pod's SELinux label can be another one, but not none: set seLinuxOptions, such as type spc_t",
        )


def _namespaces(options: GivenOptions, draft: Draft) -> None:
    for name, field in (("pid", "hostPID"), ("ipc", "hostIPC")):
        namespace = options.last(name)
        value = str(namespace.value) if namespace else ""
        if value == "host":
            draft.pod[field] = True
        elif namespace and value.startswith(("container:", "service:")):
            raise Refused(f"{namespace.path}: {value[:60]} {ONE_POD}")
        elif namespace and value not in {"", "private", "shareable"}:
            draft.leave(namespace, "a Pod has a namespace of its own")
    if (init := options.last("init")) is not None and init.value is True:
        if draft.pod.get("hostPID"):
            draft.leave(init, "with the host's processes it is the node's first process that ends zombies")
        else:
            draft.pod["shareProcessNamespace"] = True
    _users(options.last("userns"), draft)
    for name, same, why in (
        ("cgroupns", {"", "private"}, "a Pod has a cgroup namespace of its own"),
        ("uts", {""}, "a Pod has a host name of its own, unless it has the host's network"),
    ):
        if (namespace := options.last(name)) is not None and namespace.value not in same:
            draft.leave(namespace, why)
    if (isolation := options.last("isolation")) is not None and isolation.value not in {"", "default"}:
        raise Refused(f"{isolation.path}: it is for containers of Windows: a Workload runs Linux")


def _users(userns: InputValue | None, draft: Draft) -> None:
    if userns is None or userns.value in {"", "host"}:
        return
    if userns.value == "auto":
        draft.pod["hostUsers"] = False
    else:
        draft.leave(userns, "Kubernetes maps users as it chooses, or not at all: set hostUsers to false")


#: Why a container that uses another one's namespace can't be a Workload of its own.
ONE_POD = (
    "shares a namespace with another container, so that both belong into one Pod: write a Workload with both "
    "containers in its template"
)
