"""Quantities, and the size of the machine that holds a Pod."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.hulls import quantity
from twinhull.hulls.resources import GUEST_OVERHEAD, SHIM_OVERHEAD, limited, machine_size, requested

MIB = 2**20


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("1", "1"),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("1.", "1"),
        ("-1", "-1"),
        ("+1", "1"),
        ("1k", "1000"),
        ("1Ki", "1024"),
        ("1.5Gi", str(3 * 2**29)),
        ("100n", "0.0000001"),
        ("100u", "0.0001"),
        ("1E", str(10**18)),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("12E-1", "1.2"),
        ("9999Ei", str(2**63 - 1)),
        ("1e999", str(2**63 - 1)),
        (2, "2"),
        (0.5, "0.5"),
        (2e9, "2000000000"),
        (1e-07, "0.0000001"),
    ],
)
def test_quantity(text: str | float, number: str) -> None:
    assert quantity.parse(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", "m", "1.1.1", ".", "1e1.5", "1 Gi", "1gi", "1e", "nan", "inf", "1e9999999999"]
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as 500m or 1Gi"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("cores", "text"),
    [("1.5", "1500m"), ("0.0001", "1m"), ("2e3", "2000000m"), ("1e1", "10000m"), ("1.2345", "1235m")],
)
def test_cores_are_rounded_up_to_the_millicore(cores: str, text: str) -> None:
    assert quantity.milli(quantity.parse(cores)) == text


@pytest.mark.parametrize(
    ("size", "text"), [("512Mi", "512Mi"), ("1", "1Mi"), ("1e9", "954Mi"), ("1Ti", "1048576Mi")]
)
def test_bytes_are_rounded_up_to_the_mebibyte(size: str, text: str) -> None:
    assert quantity.mebibytes(quantity.parse(size)) == text


def container(requests: Any = None, limits: Any = None, **also: Any) -> Raw:
    amounts = {"requests": requests, "limits": limits}
    resources = {key: {"cpu": value} for key, value in amounts.items() if value is not None}
    return {"name": "c", **({"resources": resources} if resources else {}), **also}


def sidecar(requests: Any = None, limits: Any = None) -> Raw:
    return container(requests, limits, restartPolicy="Always")


def pod(*containers: Raw, inits: tuple[Raw, ...] = (), whole: Raw | None = None) -> Raw:
    return {"containers": list(containers), "initContainers": list(inits), **(whole or {})}


@pytest.mark.parametrize(
    ("spec", "request_", "limit"),
    [  # worked out by hand from PodRequests and PodLimits (k8s.io/component-helpers/resource/helpers.go)
        pytest.param(pod(container()), 0, None, id="nothing said"),
        pytest.param(pod(container(1), container(2)), 3, None, id="containers add up"),
        pytest.param(pod(container(1, 2), container(1)), 2, None, id="no limit if one has none"),
        pytest.param(pod(container(None, 2)), 2, 2, id="a limit is a request too"),
        pytest.param(pod(container(1, 2), container("500m", 1)), 1.5, 3, id="both"),
        pytest.param(
            pod(container(2), inits=(container(1),)), 2, None, id="an init container that asks for less"
        ),
        pytest.param(pod(container(2), inits=(container(3), container(1))), 3, None, id="or for more"),
        pytest.param(
            pod(container(2, 2), inits=(container(),)), 2, None, id="an init container without a limit"
        ),
        pytest.param(pod(container(2), inits=(sidecar(1),)), 3, None, id="a sidecar runs beside"),
        pytest.param(
            pod(container(2), inits=(container(4), sidecar(1))),
            4,
            None,
            id="a sidecar starts after the init container",
        ),
        pytest.param(
            pod(container(2), inits=(sidecar(1), container(4))),
            5,
            None,
            id="an init container beside a sidecar",
        ),
        pytest.param(
            pod(container(1, 1), inits=(sidecar(1, 2), sidecar(2, 3))),
            4,
            6,
            id="two sidecars and the container",
        ),
        pytest.param(
            pod(container(1), whole={"resources": {"requests": {"cpu": 5}}}), 5, None, id="the whole Pod says"
        ),
        pytest.param(
            pod(container(1), whole={"resources": {"limits": {"cpu": 5}}}),
            1,
            5,
            id="the whole Pod limits only",
        ),
        pytest.param(
            pod(container(), whole={"resources": {"limits": {"cpu": 5}}}), 5, 5, id="and nobody asks"
        ),
        pytest.param(
            pod(container(1, 1), whole={"resources": {"limits": {"memory": "1Gi"}}}),
            1,
            1,
            id="of another resource",
        ),
    ],
)
def test_what_a_pod_asks_for(spec: Raw, request_: float, limit: float | None) -> None:
    assert requested(spec, "cpu") == Decimal(str(request_))
    assert limited(spec, "cpu") == (None if limit is None else Decimal(str(limit)))


@pytest.mark.parametrize(
    ("requests", "limits", "cores"),
    [
        (None, None, 1),
        ("100m", None, 1),
        ("1", None, 1),
        ("1001m", None, 2),
        ("1", "2500m", 3),
        (None, "4", 4),
    ],
)
def test_cores_are_whole_and_as_many_as_may_be_used(requests: Any, limits: Any, cores: int) -> None:
    assert machine_size(pod(container(requests, limits))).cores == cores


@pytest.mark.parametrize(
    ("resources", "mebibytes"),
    [
        ({}, 512),
        ({"requests": {"memory": "1Gi"}}, 1024),
        ({"requests": {"memory": "90Mi"}}, 512),
        ({"limits": {"memory": "0"}}, 512),
        ({"limits": {"memory": "256Mi"}}, 256),
        ({"requests": {"memory": "128Mi"}, "limits": {"memory": "256Mi"}}, 256),
        ({"requests": {"memory": "0"}}, 512),
    ],
)
def test_memory_has_room_for_the_guest_too(resources: Raw, mebibytes: int) -> None:
    size = machine_size({"containers": [{"name": "web", "resources": resources}]})
    assert size.memory == mebibytes * MIB + GUEST_OVERHEAD


@pytest.mark.parametrize(
    ("amounts", "mebibytes"),
    [
        (["64Mi", None], 64 + 512),
        ([None, None, None], 512),
        (["64Mi", "128Mi"], 512),
        (["384Mi", "256Mi"], 640),
    ],
)
def test_containers_without_a_limit_share_what_is_given_to_them(
    amounts: list[str | None], mebibytes: int
) -> None:
    containers = [
        {"name": f"c{number}", "resources": {"requests": {"memory": amount}} if amount else {}}
        for number, amount in enumerate(amounts)
    ]
    shims = (len(amounts) - 1) * SHIM_OVERHEAD
    assert machine_size({"containers": containers}).memory == mebibytes * MIB + GUEST_OVERHEAD + shims


def of_memory(request: str | None = None, limit: str | None = None, **also: Any) -> Raw:
    amounts = {"requests": request, "limits": limit}
    resources = {kind: {"memory": amount} for kind, amount in amounts.items() if amount}
    return {"name": "c", "resources": resources, **also}


def beside_all(request: str | None = None, limit: str | None = None) -> Raw:
    return of_memory(request, limit, restartPolicy="Always")


LIMITED = of_memory(None, "1Gi")


@pytest.mark.parametrize(
    ("spec", "mebibytes", "at_once"),
    [
        pytest.param(pod(LIMITED, inits=(of_memory(),)), 1024, 1, id="a silent init container adds nothing"),
        pytest.param(pod(LIMITED, inits=(of_memory(), of_memory())), 1024, 1, id="nor do two"),
        pytest.param(
            pod(of_memory(None, "64Mi"), inits=(of_memory(),)), 512, 1, id="but it has what it has alone"
        ),
        pytest.param(pod(of_memory(None, "64Mi"), inits=(of_memory("900Mi"),)), 900, 1, id="or asks for"),
        pytest.param(pod(LIMITED, inits=(of_memory(None, "2Gi"),)), 2048, 1, id="or is limited to"),
        pytest.param(pod(LIMITED, inits=(beside_all(),)), 1536, 2, id="a silent sidecar runs beside"),
        pytest.param(
            pod(LIMITED, inits=(beside_all(None, "64Mi"),)), 1088, 2, id="and so does a limited one"
        ),
        pytest.param(
            pod(LIMITED, inits=(beside_all(None, "64Mi"), of_memory(None, "3Gi"))),
            3136,
            2,
            id="an init container beside a sidecar",
        ),
        pytest.param(pod(LIMITED, of_memory("90Mi")), 1536, 2, id="what has no limit, beside what has"),
        pytest.param(
            pod(of_memory("90Mi"), whole={"resources": {"limits": {"memory": "128Mi"}}}),
            128,
            1,
            id="the whole Pod is limited",
        ),
        pytest.param(
            pod(of_memory(), whole={"resources": {"requests": {"memory": "128Mi"}}}),
            512,
            1,
            id="the whole Pod asks",
        ),
        pytest.param(
            pod(of_memory(), whole={"resources": {"requests": {"memory": "2Gi"}}}),
            2048,
            1,
            id="the whole Pod asks for more",
        ),
    ],
)
def test_memory_is_what_runs_at_once_may_use(spec: Raw, mebibytes: int, at_once: int) -> None:
    shims = (at_once - 1) * SHIM_OVERHEAD
    assert machine_size(spec).memory == mebibytes * MIB + GUEST_OVERHEAD + shims


def test_what_asks_for_something_has_no_less_than_what_says_nothing() -> None:
    silent = machine_size(pod(of_memory())).memory
    for mebibytes in (1, 90, 511, 512, 513, 4096):
        assert machine_size(pod(of_memory(f"{mebibytes}Mi"))).memory >= silent


@pytest.mark.parametrize(
    ("resources", "requests", "limits"),
    [
        ({}, {}, {}),
        ({"requests": {"memory": "128Mi"}}, {"memory": 128}, {}),
        ({"limits": {"memory": "256Mi"}}, {"memory": 256}, {"memory": 256}),
        (
            {"requests": {"memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            {"memory": 128},
            {"memory": 256},
        ),
    ],
)
def test_launcher_asks_for_what_the_pod_would_and_the_guests_own(
    resources: Raw, requests: dict[str, int], limits: dict[str, int]
) -> None:
    size = machine_size({"containers": [{"name": "web", "resources": resources}]})
    own = {key: mebibytes * MIB + GUEST_OVERHEAD for key, mebibytes in requests.items()}
    assert size.requests == own
    assert size.limits == {key: mebibytes * MIB + GUEST_OVERHEAD for key, mebibytes in limits.items()}
