"""A flip changes only the Workload of which it has said what it costs."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any, cast

import click
import pytest

from twinhull.api.base import Raw
from twinhull.cli import flipping
from twinhull.cli.selected import selected
from twinhull.cli.session import Session
from twinhull.cli.targets import Target
from twinhull.shell.errors import Conflict

REQUEST = flipping.FlipRequest("VirtualMachine", False, "Container", None)  # noqa: FBT003
LOOKED_AT: Raw = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "1",
        "labels": {"a": "1"},
    },
    "spec": {"isolationPolicy": "Container", "template": {"spec": {"containers": [{"name": "web"}]}}},
}


class Server:
    """An API server on which somebody else has changed the Workload after it was looked at."""

    def __init__(self, now: Raw) -> None:
        self.now = now
        self.cluster = self
        self.namespace = "shop"

    async def workload(self, name: str) -> Raw:
        assert name == self.now["metadata"]["name"]
        return deepcopy(self.now)

    async def patch_as(self, _kind: object, _namespace: str, _name: str, patch: Raw, **_: object) -> Raw:
        if patch["metadata"]["resourceVersion"] != self.now["metadata"]["resourceVersion"]:
            raise Conflict("the object has been modified")
        self.now["spec"].update(patch["spec"])
        return self.now


def changed_by_somebody(**part: Any) -> Server:
    now = {**deepcopy(LOOKED_AT), **part}
    return Server({**now, "metadata": {**now["metadata"], "resourceVersion": "2"}})


def change(server: Server) -> None:
    asyncio.run(flipping.change_isolation(cast("Session", server), LOOKED_AT, REQUEST))


@pytest.mark.parametrize(
    "spec",
    [
        {**LOOKED_AT["spec"], "isolationPolicy": "Sandbox"},
        {**LOOKED_AT["spec"], "template": {"spec": {"containers": [{"name": "web", "image": "other"}]}}},
        {**LOOKED_AT["spec"], "replacement": {"strategy": "Recreate"}},
    ],
)
def test_a_spec_that_was_changed_meanwhile_is_left(spec: Raw) -> None:
    server = changed_by_somebody(spec=spec)
    with pytest.raises(click.ClickException, match="somebody else has changed the spec meanwhile"):
        change(server)
    assert server.now["spec"] == spec


def test_what_changed_beside_the_spec_is_no_obstacle() -> None:
    server = changed_by_somebody(metadata={**LOOKED_AT["metadata"], "labels": {"a": "2"}})
    change(server)
    assert server.now["spec"] == {**LOOKED_AT["spec"], "isolationPolicy": "VirtualMachine"}


@pytest.mark.parametrize(
    ("target", "command"),
    [
        (Target(), "twinhull flip web -n shop --to container"),
        (Target("shop"), "twinhull flip web -n shop --to container"),
        (Target(context="a b"), "twinhull flip web -n shop --to container --context 'a b'"),
    ],
)
def test_the_way_back_leads_to_the_same_workload(target: Target, command: str) -> None:
    assert flipping.way_back(LOOKED_AT, target) == command


def test_labels_that_nothing_has_are_looked_for_in_the_namespace() -> None:
    class Nothing(Server):
        async def list(self, _kind: object) -> tuple[list[Raw], str]:
            return [], ""

    with pytest.raises(click.ClickException, match=r"see twinhull list --show-labels -n shop$"):
        asyncio.run(selected(cast("Session", Nothing(LOOKED_AT)), (), "app=other"))
