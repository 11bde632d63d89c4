"""`depends_on` and `links`: the order in which services start, and which part of it is lost.

Compose starts a service once the services that it depends on have started, are healthy, or have completed.
Kubernetes starts all at once, and doesn't wait. An init container could wait. But it would need an image that
the file doesn't name, and for services that complete the right to read the other Workload's status. It would
also wait anew at each restart, which Compose doesn't. So the output has the Workloads in that order, and each
dependency is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from twinhull.api import commands
from twinhull.convert.compose import typed
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import InputValue

_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")


def dependencies(service: InputValue) -> dict[str, tuple[str, InputValue]]:
    """The conditions of the services that a service depends on, by their names, each with the place that
    names it.

    A dependency without condition, and a link, is a dependency on a start. Raises CannotConvert for an
    unknown condition.
    """
    keys = typed.mapping(service)
    conditions: dict[str, tuple[str, InputValue]] = {}
    for link in typed.listing(keys["links"]) if "links" in keys else ():
        conditions[typed.text(link).partition(":")[0]] = ("service_started", link)
    if "depends_on" not in keys or keys["depends_on"].value is None:
        return conditions
    if isinstance(keys["depends_on"].value, list):
        for dependency in typed.listing(keys["depends_on"]):
            conditions[typed.text(dependency)] = ("service_started", dependency)
        return conditions
    for name, dependency in typed.mapping(keys["depends_on"]).items():
        condition = typed.mapping(dependency).get("condition")
        value = typed.text(condition) if condition else "service_started"
        if value not in _CONDITIONS:
            raise CannotConvert(
                f"{dependency.path}.condition: {value[:40]!r} is none: use one of {', '.join(_CONDITIONS)}"
            )
        conditions[name] = (value, dependency)
    return conditions


def ordered(services: Mapping[str, InputValue]) -> list[str]:
    """The services, each after the services that it depends on, otherwise in the file's order. Raises
    CannotConvert for a circle.
    """
    below = {name: dependencies(service).keys() & services.keys() for name, service in services.items()}
    order: dict[str, None] = {}
    while len(order) < len(services):
        ready = next((name for name in services if name not in order and below[name] <= order.keys()), None)
        if ready is None:
            circle = ", ".join(name for name in services if name not in order)[:200]
            raise CannotConvert(f"services: {circle} depend on each other in a circle: remove a depends_on")
        order[ready] = None
    return list(order)


def tell(service: InputValue, draft: Draft, drafts: Mapping[str, Draft], all_services: Iterable[str]) -> None:
    """Name the dependencies of a service among what is left. Raises CannotConvert for a service that doesn't
    exist.
    """
    for name, (condition, dependency) in dependencies(service).items():
        if name not in all_services:
            optional = isinstance(dependency.value, dict) and typed.mapping(dependency).get("required")
            if optional and not typed.truth(optional):
                draft.leave(dependency, "there is no such service, and it isn't required")
                continue
            raise CannotConvert(
                f"{dependency.path}: there is no service {name[:60]!r}: correct it, or remove it"
            )
        if name not in drafts:
            draft.leave(dependency, f"{name} isn't converted, see there")
        else:
            draft.leave(dependency, " ".join(_sentence_parts(condition, draft, name, drafts[name])))


def _sentence_parts(condition: str, draft: Draft, service: str, other: Draft) -> Iterator[str]:
    """The sentence on how Kubernetes treats a condition. `service` is the name of the other service in the
    file.
    """
    if condition == "service_completed_successfully":
        wait = commands.ours("wait", other.name, other.namespace, "--for", "completed")
        yield (
            f"Kubernetes doesn't wait: apply Workload {draft.name} once {other.name} has completed ({wait}), "
            "or have it try again until then;"
        )
    elif condition == "service_healthy" and "readinessProbe" not in other.container:
        # Without a probe it is Ready once it runs. Docker waits for the check that the image has.
        yield (
            f"Kubernetes doesn't wait, and doesn't see the check that the image of {service[:60]} has: write "
            f"it to services.{service[:60]}.healthcheck.test, and convert again; {draft.name} has to bear "
            f"that {other.name} doesn't answer yet;"
        )
    elif condition == "service_healthy":
        yield (
            f"Kubernetes doesn't wait: {draft.name} has to bear that {other.name} isn't Ready yet, and to "
            "try again until then;"
        )
    else:
        yield (
            f"Kubernetes starts both at once: {draft.name} has to bear that {other.name} doesn't answer yet;"
        )
    if draft.pod.get("restartPolicy") == "Never":
        yield (
            "as it has no restart, it fails for good if it ends because of that: set restartPolicy to "
            "OnFailure or Always"
        )
    else:
        yield "it is started again if it ends because of that"


def aliases(services: Mapping[str, InputValue]) -> dict[str, list[InputValue]]:
    """Other names that links give to services, by the services."""
    by_service: dict[str, list[InputValue]] = {}
    for service in services.values():
        keys = typed.mapping(service)
        for link in typed.listing(keys["links"]) if "links" in keys else ():
            name, _, alias = typed.text(link).partition(":")
            if alias and alias != name:
                by_service.setdefault(name, []).append(InputValue(link.path, alias))
    return by_service
