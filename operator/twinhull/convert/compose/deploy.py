"""`deploy`, `scale` and `gpus` of a service.

Source: the Compose Specification, deploy.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from twinhull.api.qualifiedname import is_label_value, is_qualified_name
from twinhull.convert.compose import typed
from twinhull.convert.compose.granted import labels
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.amounts import number, whole, whole_bytes
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.process import ARCHITECTURES

_RESTARTS = {"none": "no", "on-failure": "on-failure", "any": "always"}
_CONSTRAINT = re.compile(r"\s*node\.([A-Za-z0-9._/-]+)\s*(==|!=)\s*(\S+)\s*")
_LABELS = {
    "hostname": "kubernetes.io/hostname",
    "platform.os": "kubernetes.io/os",
    "platform.arch": "kubernetes.io/arch",
}


def deploy(keys: Mapping[str, InputValue], draft: Draft) -> Iterator[tuple[str, InputValue]]:
    """The options of `docker run` that these keys mean. Settings of the Workload itself go into the draft.

    Raises CannotConvert for an invalid value, and for two values that contradict each other.
    """
    section = typed.mapping(keys["deploy"]) if "deploy" in keys else {}
    if "labels" in section:
        draft.own_metadata.update(labels(typed.pairs(section["labels"]), draft.left))
    _replicas(keys.get("scale"), section.get("replicas"), draft)
    yield from _restart(keys.get("restart"), section.get("restart_policy"), draft)
    yield from _mode(keys.get("restart"), section, draft)
    resources = typed.mapping(section["resources"]) if "resources" in section else {}
    limits = typed.mapping(resources["limits"]) if "limits" in resources else {}
    reserved = typed.mapping(resources["reservations"]) if "reservations" in resources else {}
    for key, option, of, other in (
        ("cpus", "cpus", limits, "cpus"),
        ("memory", "memory", limits, "mem_limit"),
        ("cpus", "cpu-reservation", reserved, ""),
        ("memory", "memory-reservation", reserved, "mem_reservation"),
    ):
        if key in of:
            amount = InputValue(of[key].path, typed.text(of[key]))
            _same(amount, keys.get(other), key)
            yield option, amount
    for gpu in typed.one_or_more(reserved["devices"]) if "devices" in reserved else ():
        yield from _gpu(gpu, draft, needs_capability=True)
    for gpu in typed.one_or_more(keys["gpus"]) if "gpus" in keys else ():
        yield from _gpu(gpu, draft, needs_capability=False)
    if "placement" in section and (constraints := typed.mapping(section["placement"]).get("constraints")):
        for constraint in typed.listing(constraints):
            _constraint(constraint, draft)


def _replicas(scale: InputValue | None, replicas: InputValue | None, draft: Draft) -> None:
    for value in (scale, replicas):
        if value is None or value.value is None:
            continue
        count = whole(InputValue(value.path, typed.text(value)))
        if count < 0:
            raise CannotConvert(f"{value.path}: {count} can't be a number of containers: correct it")
        if count == 0:
            draft.spec["state"] = "Stopped"
        elif count > 1:
            draft.leave(
                value,
                "a Workload is one Pod: write more Workloads, or keep a Deployment for several of the same",
            )


def _restart(
    restart: InputValue | None, policy: InputValue | None, draft: Draft
) -> Iterator[tuple[str, InputValue]]:
    if policy is None or policy.value is None:
        return
    condition = typed.mapping(policy).get("condition")
    text = typed.text(condition) if condition and condition.value is not None else "any"
    if text not in _RESTARTS:
        raise CannotConvert(f"{policy.path}.condition: {text[:40]!r} is none: use none, on-failure or any")
    if restart is not None:
        draft.leave(restart, f"{policy.path} counts, and not restart")
    yield "restart", InputValue(policy.path, _RESTARTS[text])


def _mode(
    restart: InputValue | None, section: Mapping[str, InputValue], draft: Draft
) -> Iterator[tuple[str, InputValue]]:
    mode = typed.text(section["mode"]) if "mode" in section else "replicated"
    if mode in {"replicated-job", "global-job"} and "restart_policy" not in section:
        if restart is not None:
            draft.leave(restart, f"{section['mode'].path} counts, and not restart: a job ends")
        yield "restart", InputValue(section["mode"].path, "no")
    elif mode == "global":
        draft.leave(section["mode"], "a Workload is one Pod: keep a DaemonSet for one on each node")
    elif mode not in {"replicated", "replicated-job", "global-job"}:
        raise CannotConvert(f"{section['mode'].path}: {mode[:40]!r} is none: use replicated")
    if "endpoint_mode" in section and typed.text(section["endpoint_mode"]) == "dnsrr":
        draft.spec["service"] = {**draft.spec.get("service", {}), "headless": True}


def starts_first(service: InputValue) -> InputValue | None:
    """The place where a service asks for a new container before the old one ends; None if it doesn't."""
    config = typed.mapping(typed.mapping(service).get("deploy", InputValue("", None))).get("update_config")
    order = typed.mapping(config).get("order") if config else None
    return order if order is not None and order.value == "start-first" else None


def _same(value: InputValue, other: InputValue | None, key: str) -> None:
    """Raise CannotConvert if two amounts differ: Compose doesn't take that either."""
    if other is None or other.value is None:
        return
    amount = number if key == "cpus" else whole_bytes
    if amount(value) != amount(InputValue(other.path, typed.text(other))):
        raise CannotConvert(f"{other.path} differs from {value.path}: remove one of the two")


def _gpu(gpu: InputValue, draft: Draft, *, needs_capability: bool) -> Iterator[tuple[str, InputValue]]:
    if not isinstance(gpu.value, dict):
        yield "gpus", InputValue(gpu.path, typed.text(gpu))
        return
    keys = typed.mapping(gpu)
    capabilities = [typed.text(one) for one in typed.listing(keys.get("capabilities", InputValue("", None)))]
    driver = typed.text(keys["driver"]) if "driver" in keys else "nvidia"
    count = typed.text(keys["count"]) if "count" in keys else "all"
    if driver != "nvidia" or "device_ids" in keys or (needs_capability and "gpu" not in capabilities):
        draft.leave(gpu, "Kubernetes counts devices by their plugin's resource: set it in resources.limits")
    else:
        yield "gpus", InputValue(gpu.path, count)


def _constraint(constraint: InputValue, draft: Draft) -> None:
    match = _CONSTRAINT.fullmatch(typed.text(constraint))
    name = match[1] if match else ""
    label = _LABELS.get(name) or (name.removeprefix("labels.") if name.startswith("labels.") else "")
    operator, value = (match[2], match[3]) if match else ("", "")
    if name == "platform.arch":
        value = ARCHITECTURES.get(value, value)
    if not label or not is_qualified_name(label.rpartition("/")[2]) or not is_label_value(value):
        draft.leave(constraint, "nodes have no such label: label them, and set nodeSelector or affinity")
        return
    if operator == "!=":
        draft.leave(
            constraint,
            "a nodeSelector only says which value a label has: require in affinity.nodeAffinity that "
            f"{label} is NotIn [{value}]",
        )
        return
    selector = draft.pod.setdefault("nodeSelector", {})
    if selector.setdefault(label, value) != value:
        draft.leave(constraint, f"the node is to have another value of {label}, too: remove one of the two")
