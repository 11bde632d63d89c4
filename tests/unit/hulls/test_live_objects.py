"""How many ConfigMaps and Secrets a machine shows with their changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hulls.objections import unsupported
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.hulls.attachments import attachments
from twinhull.hulls.parity import MOST_LIVE


def spec(*sources: Raw, **mount: Any) -> Raw:
    """A Pod that mounts volumes of these sources."""
    volumes = [{"name": f"v{number}", **source} for number, source in enumerate(sources)]
    mounts = [{"name": v["name"], "mountPath": f"/{v['name']}", **mount} for v in volumes]
    web = {"name": "web", "image": "web:1", "volumeMounts": mounts}
    return {"automountServiceAccountToken": False, "containers": [web], "volumes": volumes}


def config_maps(count: int) -> list[Raw]:
    return [{"configMap": {"name": f"c{number}"}} for number in range(count)]


def secrets(count: int) -> list[Raw]:
    return [{"secret": {"secretName": f"s{number}"}} for number in range(count)]


def refused(pod_spec: Raw) -> list[str]:
    return [field.path for field in unsupported({"spec": pod_spec})]


def live(pod_spec: Raw) -> int:
    made = attachments({"metadata": {"name": "web-1a2b3c4d5e"}, "spec": pod_spec})
    return sum(attachment.live for attachment in made)


def test_as_many_as_there_may_be() -> None:
    whole = spec(*config_maps(MOST_LIVE - 1), *secrets(1))
    assert (refused(whole), live(whole)) == ([], MOST_LIVE)


def test_each_that_is_too_many_is_named() -> None:
    whole = spec(*config_maps(MOST_LIVE), *secrets(2))
    paths = [f"spec.volumes[v{MOST_LIVE}].secret", f"spec.volumes[v{MOST_LIVE + 1}].secret"]
    assert refused(whole) == paths
    [first, _] = unsupported({"spec": whole})
    assert "mount this one with subPath" in first.reason


@pytest.mark.parametrize("how", [{"subPath": "file"}, {"subPathExpr": "$(FILE)"}])
def test_what_is_mounted_by_sub_path_is_a_disk_and_not_counted(how: Raw) -> None:
    files = spec(*config_maps(20), *secrets(20), **how)
    assert (refused(files), live(files)) == ([], 0)


def test_an_object_counts_once() -> None:
    same = spec(*config_maps(MOST_LIVE), *config_maps(MOST_LIVE))
    assert (refused(same), live(same)) == ([], MOST_LIVE)


def test_what_is_projected_counts() -> None:
    sources = [{"configMap": {"name": f"p{number}"}} for number in range(MOST_LIVE)]
    whole = spec({"projected": {"sources": [*sources, {"secret": {"name": "s"}}]}}, *secrets(1))
    at = f"spec.volumes[v0].projected.sources[{MOST_LIVE}].secret"
    assert refused(whole) == [at, "spec.volumes[v1].secret"]


def test_a_pod_may_show_more() -> None:
    whole = spec(*config_maps(MOST_LIVE + 1))
    assert unsupported({"spec": whole}, Isolation.CONTAINER) == ()
