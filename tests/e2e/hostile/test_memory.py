"""Filling the operator's memory: 200 MB of objects that somebody with a tenant's rights stores."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.controlplane import Cluster
from tests.e2e.hostile.people import Person, is_served
from tests.e2e.operator.subject import Manifest, Subject, container
from tests.operator_process import OperatorProcess

ROOT = Path(__file__).parents[3]
MIB = 1 << 20
#: Strings that are as short in JSON as can be for what they take in Python, and an object of small values.
LATIN = "x" * 1_000_000
WIDE = "x" * 999_000 + "\N{GRINNING FACE}"
DENSE: list[object] = [{}] * 150_000
SPARSE = [{"a": 1}] * 24_000


def limit() -> int:
    """What the chart lets the operator have."""
    values = yaml.safe_load((ROOT / "charts/twinhull/values.yaml").read_text(encoding="utf-8"))
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", values["resources"]["limits"]["memory"]).groups()  # type: ignore[union-attr]
    return int(number) * (MIB if unit == "Mi" else 1024 * MIB)


def peak(operator: OperatorProcess) -> int:
    """The most memory that a process has had (proc_pid_status(5), VmHWM)."""
    status = Path(f"/proc/{operator.process.pid}/status").read_text(encoding="ascii")
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) * 1024


def labelled(kind: str, name: str, **parts: object) -> Manifest:
    version = "twinhull.dev/v1alpha1" if kind == "Workload" else "v1"
    metadata = {"name": name, "labels": {"twinhull.dev/workload": "web"}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def workload(name: str, overrides: object) -> Manifest:
    spec = {"template": {"spec": {"containers": [container()]}}, "virtualMachine": {"overrides": overrides}}
    return labelled("Workload", name, spec={"state": "Stopped", **spec})


def objects() -> Iterator[Manifest]:
    """About 200 MB."""
    for number in range(92):
        yield labelled("ConfigMap", f"latin{number}", data={"x": LATIN})
        yield labelled("ConfigMap", f"wide{number}", data={"manifest.json": WIDE})
    for number in range(8):
        yield workload(f"large{number}", {"x": LATIN})
    # In the API server each of these takes a hundred times its size, and some of its former states as well.
    for number in range(3):
        yield workload(f"dense{number}", {"x": DENSE})
    for number in range(20):
        yield workload(f"sparse{number}", {"x": SPARSE})
    for number in range(40):
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        yield labelled("PersistentVolumeClaim", f"claim{number}", spec=claim) | {
            "metadata": {"name": f"claim{number}", "annotations": {"x": "x" * 250_000}}
        }


@pytest.fixture
def operator(cluster: Cluster, account: Path, tmp_path: Path) -> Iterator[OperatorProcess]:  # noqa: ARG001
    """One that is no fork: a fork was seen with 16 MiB less at its start."""
    started = OperatorProcess.start(account, tmp_path / "operator.log", anew=True)
    yield started
    started.stop()


@pytest.fixture
def restart(operator: OperatorProcess, account: Path, tmp_path: Path) -> Callable[[], None]:
    def put_another() -> None:
        operator.stop()
        again = OperatorProcess.start(account, tmp_path / "again.log", anew=True)
        operator.process, operator.health = again.process, again.health

    return put_another


def store(person: Person, manifest: Manifest) -> int:
    """Create an object. How many bytes it is of."""
    body = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()
    code, answer = person.api.raw("POST", person.api.path(manifest["kind"], person.namespace), body)
    assert code == 201, answer[:500]
    return len(body)


def test_two_hundred_megabytes_of_others_objects_fit(
    tenant: Person, operator: OperatorProcess, neighbour: Subject, restart: Callable[[], None]
) -> None:
    with ThreadPoolExecutor(4) as people:
        stored = sum(people.map(partial(store, tenant), objects()))
    assert stored > 200 * 1_000_000
    is_served(neighbour)
    assert peak(operator) < limit(), "while they come"

    restart()

    assert peak(operator) < limit(), "where they are at the start"
    is_served(neighbour)
    assert peak(operator) < limit()
    print(f"{stored / 1e6:.0f} MB stored, at most {peak(operator) / MIB:.0f} MiB of memory")
