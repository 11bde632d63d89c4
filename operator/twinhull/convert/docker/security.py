"""What a container may do: capabilities, seccomp, AppArmor, SELinux, namespaces of the host.

Sources: docker run's reference (`--security-opt`, `--cap-add`, `--privileged`, `--userns`, `--pid`, `--ipc`);
docs.docker.com/engine/security; k8s.io/api/core/v1 (SecurityContext).

Docker confines each container by its seccomp profile, and Kubernetes none unless a Pod asks for it. So a
Workload asks for the runtime's own profile, unless the input says otherwise: nothing is confined less than it
was.
"""

from __future__ import annotations

import re

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Draft, Refused
from twinhull.convert.docker.settings import InputValue, Settings

_CAPABILITY = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
_SECCOMP = {"unconfined": "Unconfined", "builtin": "RuntimeDefault"}
_APPARMOR = {
    "unconfined": {"type": "Unconfined"},
    "docker-default": {"type": "RuntimeDefault"},
    "runtime/default": {"type": "RuntimeDefault"},
}
_SELINUX = ("user", "role", "type", "level")


def security(settings: Settings, draft: Draft) -> None:
    """What it may do, and what it shares with its node."""
    privileged = settings.is_true("privileged")
    if privileged:
        draft.security["privileged"] = True
    if settings.is_true("read-only"):
        draft.security["readOnlyRootFilesystem"] = True
    _capabilities(settings, draft)
    for said in settings.take("security-opt"):
        _option(said, draft, privileged=privileged)
    if not privileged:
        draft.security.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    _namespaces(settings, draft)


def _capabilities(settings: Settings, draft: Draft) -> None:
    found: Raw = {}
    for name, field in (("cap-add", "add"), ("cap-drop", "drop")):
        listed: list[str] = []
        for said in settings.take(name):
            capability = str(said.value).strip().upper().removeprefix("CAP_")
            if not _CAPABILITY.fullmatch(capability):
                raise CannotConvert(f"{said.path}: {str(said.value)[:40]!r} is no capability: correct it")
            if capability not in listed:
                listed.append(capability)
        if listed:
            found[field] = listed
    if found:
        draft.security["capabilities"] = found


def _option(said: InputValue, draft: Draft, *, privileged: bool) -> None:
    text = str(said.value).strip()
    key, separator, value = text.partition("=")
    if not separator:
        key, separator, value = text.partition(":")
    match key:
        case "no-new-privileges":
            _no_new_privileges(said, value, draft, privileged=privileged)
        case "seccomp":
            _seccomp(said, value, draft)
        case "apparmor" if value:
            profile = {"type": "Localhost", "localhostProfile": value}
            draft.security["appArmorProfile"] = dict(_APPARMOR.get(value, profile))
        case "label":
            _label(said, value, draft)
        case "systempaths":
            draft.leave(said, "Kubernetes unmasks /proc in user namespaces only: set hostUsers and procMount")
        case _:
            draft.leave(said, "Kubernetes has nothing like it")


def _no_new_privileges(said: InputValue, value: str, draft: Draft, *, privileged: bool) -> None:
    if value == "false":
        draft.security["allowPrivilegeEscalation"] = True
    elif value not in {"", "true"}:
        raise CannotConvert(f"{said.path}: {value[:40]!r} is neither true nor false: correct it")
    elif privileged or "SYS_ADMIN" in draft.security.get("capabilities", {}).get("add", []):
        draft.leave(said, "Kubernetes refuses it for a container that is privileged or has SYS_ADMIN")
    else:
        draft.security["allowPrivilegeEscalation"] = False


def _seccomp(said: InputValue, value: str, draft: Draft) -> None:
    if value in _SECCOMP:
        draft.security["seccompProfile"] = {"type": _SECCOMP[value]}
    else:
        draft.leave(
            said,
            "the profile is a file of this host: put it on the nodes, and set seccompProfile to type "
            "Localhost; until then the runtime's own profile holds",
        )


def _label(said: InputValue, value: str, draft: Draft) -> None:
    key, separator, name = value.partition(":")
    if separator and key in _SELINUX and name:
        draft.security.setdefault("seLinuxOptions", {})[key] = name
    else:
        draft.leave(
            said,
            "a Pod's SELinux label can be another one, but not none: set seLinuxOptions, such as type spc_t",
        )


def _namespaces(settings: Settings, draft: Draft) -> None:
    for name, field in (("pid", "hostPID"), ("ipc", "hostIPC")):
        said = settings.last(name)
        value = str(said.value) if said else ""
        if value == "host":
            draft.pod[field] = True
        elif said and value.startswith(("container:", "service:")):
            raise Refused(f"{said.path}: {value[:60]} {ONE_POD}")
        elif said and value not in {"", "private", "shareable"}:
            draft.leave(said, "a Pod has a namespace of its own")
    if (said := settings.last("init")) is not None and said.value is True:
        if draft.pod.get("hostPID"):
            draft.leave(said, "with the host's processes it is the node's first process that ends zombies")
        else:
            draft.pod["shareProcessNamespace"] = True
    _users(settings.last("userns"), draft)
    for name, same, why in (
        ("cgroupns", {"", "private"}, "a Pod has a cgroup namespace of its own"),
        ("uts", {""}, "a Pod has a host name of its own, unless it has the host's network"),
    ):
        if (said := settings.last(name)) is not None and said.value not in same:
            draft.leave(said, why)
    if (said := settings.last("isolation")) is not None and said.value not in {"", "default"}:
        raise Refused(f"{said.path}: it is for containers of Windows: a Workload runs Linux")


def _users(said: InputValue | None, draft: Draft) -> None:
    if said is None or said.value in {"", "host"}:
        return
    if said.value == "auto":
        draft.pod["hostUsers"] = False
    else:
        draft.leave(said, "Kubernetes maps users as it chooses, or not at all: set hostUsers to false")


#: Why a container that lives in another's namespace can't be one Workload.
ONE_POD = (
    "shares a namespace with another container, so that both belong into one Pod: write a Workload with both "
    "containers in its template"
)
