"""The fields in which a Pod is less isolated than its template asks for. Each field has a direction.

Admission policies and webhooks may take privileges away from a Pod; only added privileges are reported.
Fields mean what they mean to a kubelet: a missing field has its default, and a container's field overrides
its Pod's (core/v1, types PodSpec, PodSecurityContext and SecurityContext).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twinhull.api.base import Raw

_Weaker = Callable[[Any, Any], bool]


def _is(*, safe: bool, default: bool) -> _Weaker:
    """The direction of a boolean field, of which the value `safe` is the more isolated."""
    return lambda wanted, seen: wanted is safe and (default if seen is None else seen) is not safe


def _at_least(*values: str, default: str) -> _Weaker:
    """The direction of a field with several values, given from the least isolated to the most. An unknown
    value counts as the least isolated.
    """
    rank = {value: place for place, value in enumerate(values)}
    return lambda wanted, seen: rank.get(seen or default, -1) < rank.get(wanted, -1)


def _profile(wanted: Raw, seen: Raw | None) -> bool:
    """Whether a profile is weaker. A localhost profile counts as stricter than the runtime's default."""
    order = _at_least("Unconfined", "RuntimeDefault", "Localhost", default="Unconfined")
    return order(wanted.get("type"), (seen or {}).get("type"))


def _may_be_root(wanted: int, seen: int | None) -> bool:
    """Whether the template asks for an id other than root's, and the Pod's is root's or missing: without an
    id, the image chooses it.
    """
    return wanted != 0 and not seen


def _more_groups(wanted: list[int], seen: list[int] | None) -> bool:
    return not set(seen or ()) <= set(wanted)


def _labels_lost(wanted: Raw, seen: Raw | None) -> bool:
    return any(value and not (seen or {}).get(key) for key, value in wanted.items())


def _on_the_host(wanted: Raw, seen: Raw | None) -> bool:
    return wanted.get("hostProcess") is False and bool((seen or {}).get("hostProcess"))


def _capabilities(wanted: Raw, seen: Raw | None) -> bool:
    """Whether the Pod adds capabilities that the template doesn't, or drops fewer."""
    template, pod = ({kind: _names(part, kind) for kind in ("add", "drop")} for part in (wanted, seen or {}))
    more = "ALL" not in template["add"] and not pod["add"] <= template["add"]
    return more or ("ALL" not in pod["drop"] and not template["drop"] <= pod["drop"])


def _names(capabilities: Raw, kind: str) -> set[str]:
    return {name.upper().removeprefix("CAP_") for name in capabilities.get(kind) or ()}


#: The directions of the fields of the Pod's spec, of its securityContext only, of a container's only, and of
#: both.
_POD: dict[str, _Weaker] = {
    "automountServiceAccountToken": _is(safe=False, default=True),
    "hostIPC": _is(safe=False, default=False),
    "hostNetwork": _is(safe=False, default=False),
    "hostPID": _is(safe=False, default=False),
    "hostUsers": _is(safe=False, default=True),
    "runtimeClassName": lambda wanted, seen: bool(wanted) and wanted != seen,
    "shareProcessNamespace": _is(safe=False, default=False),
}
_POD_CONTEXT: dict[str, _Weaker] = {
    "supplementalGroups": _more_groups,
    "supplementalGroupsPolicy": _at_least("Merge", "Strict", default="Merge"),
}
_CONTAINER_CONTEXT: dict[str, _Weaker] = {
    "allowPrivilegeEscalation": _is(safe=False, default=True),
    "capabilities": _capabilities,
    "privileged": _is(safe=False, default=False),
    "procMount": _at_least("Unmasked", "Default", default="Default"),
    "readOnlyRootFilesystem": _is(safe=True, default=False),
}
_BOTH_CONTEXTS: dict[str, _Weaker] = {
    "appArmorProfile": _profile,
    "runAsGroup": _may_be_root,
    "runAsNonRoot": _is(safe=True, default=False),
    "runAsUser": _may_be_root,
    "seLinuxOptions": _labels_lost,
    "seccompProfile": _profile,
    "windowsOptions": _on_the_host,
}
_MOUNT: dict[str, _Weaker] = {
    "mountPropagation": _at_least("Bidirectional", "HostToContainer", "None", default="None"),
    "readOnly": _is(safe=True, default=False),
    "recursiveReadOnly": _at_least("Disabled", "IfPossible", "Enabled", default="Disabled"),
}
#: The values that a template has for fields that it doesn't set and that remove all isolation from a Pod.
_IMPLIED = dict.fromkeys(("hostIPC", "hostNetwork", "hostPID", "privileged"), False)

#: Fields that only make a Pod less isolated, so that nothing is missing when they are removed. `procMount`
#: isn't one of them: an API server whose feature gate is off drops it.
PRIVILEGES = frozenset(
    {
        *("allowPrivilegeEscalation", "capabilities", "privileged", "mountPropagation"),
        *("hostIPC", "hostNetwork", "hostPID", "shareProcessNamespace"),
    }
)


def weakened(wanted: Raw, seen: Raw) -> Iterator[str]:
    """The paths in a template's spec at which the Pod is less isolated, each once."""
    yield from dict.fromkeys(_weakened(wanted, seen))


def _weakened(wanted: Raw, seen: Raw) -> Iterator[str]:
    yield from _of(_POD, wanted, seen, "spec")
    context, seen_context = _context(wanted), _context(seen)
    yield from _of(_POD_CONTEXT, context, seen_context, "spec.securityContext")
    for kind in ("initContainers", "containers"):
        containers = {container["name"]: container for container in seen.get(kind) or ()}
        for container in wanted.get(kind) or ():
            if (same := containers.get(container["name"])) is not None:
                at = f"spec.{kind}[{container['name']}]"
                yield from _of_container(container, same, at, context, seen_context)


def _of_container(container: Raw, same: Raw, at: str, context: Raw, seen_context: Raw) -> Iterator[str]:
    own, seen = _context(container), _context(same)
    yield from _of(_CONTAINER_CONTEXT, own, seen, f"{at}.securityContext")
    for key, weaker in _BOTH_CONTEXTS.items():
        where, wanted = (at, own) if own.get(key) is not None else ("spec", context)
        value = seen[key] if seen.get(key) is not None else seen_context.get(key)
        if wanted.get(key) is not None and weaker(wanted[key], value):
            yield f"{where}.securityContext.{key}"
    mounts = {mount.get("mountPath"): mount for mount in same.get("volumeMounts") or ()}
    for mount in container.get("volumeMounts") or ():
        if (mounted := mounts.get(mount["mountPath"])) is not None:
            yield from _of(_MOUNT, mount, mounted, f"{at}.volumeMounts[{mount['mountPath']}]")


def _of(directions: dict[str, _Weaker], wanted: Raw, seen: Raw, at: str) -> Iterator[str]:
    for key, weaker in directions.items():
        value = wanted[key] if wanted.get(key) is not None else _IMPLIED.get(key)
        if value is not None and weaker(value, seen.get(key)):
            yield f"{at}.{key}"


def _context(part: Raw) -> Raw:
    return part.get("securityContext") or {}
