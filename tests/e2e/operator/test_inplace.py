"""Changes that a running Pod takes: no new Pod, and the status says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.operator.subject import Manifest, Subject, container, template

pytestmark = pytest.mark.simulated

SMALL = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
LARGE = {"requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}


def running(web: Subject) -> Manifest:
    web.apply("Container", template({"note": "a"}, containers=[container(resources=SMALL)]))
    web.becomes("Ready")
    return web.hull()


def changed(web: Subject, annotations: dict[str, str], **fields: Any) -> tuple[Manifest, str]:
    """The Pod once a change of the template has settled, and how the status says that it was made."""
    web.apply("Container", template(annotations, containers=[container(**fields)]))
    web.eventually(lambda: len(web.belongings()["Pod"]) == 1, "there is one Pod")
    status = web.becomes("Ready")["status"]
    assert status["lastChange"]["revision"] == status["hull"]["revision"]
    return web.hull(), status["lastChange"]["how"]


def test_a_label_an_image_and_resources(web: Subject) -> None:
    before = running(web)
    after, how = changed(web, {"other": "b"}, image="nginx:1.30", resources=LARGE)
    assert how == "InPlace"
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "note" not in after["metadata"]["annotations"]
    assert after["metadata"]["annotations"]["other"] == "b"
    [found] = after["spec"]["containers"]
    assert (found["image"], found["resources"]) == ("nginx:1.30", LARGE)
    assert [reason for _, reason, _ in web.all_events()].count("ChangedInPlace") == 1


def test_what_kubernetes_refuses_is_replaced(web: Subject) -> None:
    """Without requests and limits the Pod would be of another QoS class, which no running Pod can become."""
    before = running(web)
    after, how = changed(web, {"note": "a"})
    assert how == "Replaced"
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["containers"][0]["resources"] == {}


def test_there_and_back(web: Subject) -> None:
    before = running(web)
    changed(web, {"note": "b"}, resources=SMALL)
    after, how = changed(web, {"note": "a"}, resources=SMALL)
    assert how == "InPlace"
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
