"""How a person gets a certificate for a machine, and what is said if there is none."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.polling import PATIENCE
from tests.unit.cli.reachapi import ReachApi
from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import guest
from twinhull.reach.errors import EntryError
from twinhull.reach.guest import GuestDoor
from twinhull.shell.errors import ApiError, Refused, Unreachable

ISSUED = {
    "certificate": "of the person",
    "guest": {"machine": "web", "uid": "1", "port": 65250, "certificate": "of the guest", "fingerprint": "0"},
}


@dataclass
class Cluster:
    """The AccessRequests of a namespace, answered as it is told."""

    #: What the operator writes.
    status: Raw = field(default_factory=dict)
    #: What a creation is answered with, if not the object.
    error: ApiError | None = None
    #: The uid of what is there by the name of the request.
    uid: str = "ours"
    created: Raw = field(default_factory=dict)
    deleted: list[tuple[str, str]] = field(default_factory=list)

    async def create(self, _: Any, namespace: str, obj: Raw) -> Raw:
        if self.error:
            raise self.error
        self.created = deepcopy(obj)
        return {**obj, "metadata": {"name": "web-x7", "namespace": namespace, "uid": "ours"}}

    async def get(self, _: Any, __: str, name: str) -> Raw | None:
        if not self.uid:
            return None
        return {"metadata": {"name": name, "uid": self.uid}, "status": self.status}

    async def list(self, *_: Any) -> tuple[list[Raw], str]:
        return [], ""

    async def delete(self, _: Any, __: str, name: str, uid: str) -> None:
        self.deleted.append((name, uid))
        raise Unreachable("the API server has gone")


def way_in(cluster: Any) -> str:
    """Why there is none."""

    async def enter() -> None:
        door = GuestDoor(cluster, None, "shop")  # type: ignore[arg-type]
        async with door.open("web", Usage.EXEC, ("web",)):
            raise AssertionError

    with pytest.raises(EntryError) as refused:
        asyncio.run(enter())
    return str(refused.value)


@dataclass
class SlowCluster(Cluster):
    """Answers a creation once it is told to, and tells when it is asked."""

    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, kind: Any, namespace: str, obj: Raw) -> Raw:
        self.is_asked.set()
        await self.answers.wait()
        return await super().create(kind, namespace, obj)


def interrupted(monkeypatch: pytest.MonkeyPatch, *, answered: bool) -> list[tuple[str, str]]:
    """What is deleted if a signal comes while a request is created, and if that is answered after all."""
    monkeypatch.setattr(guest, "_QUICK_WITHDRAWAL", 60 if answered else 0)

    async def enter(cluster: SlowCluster) -> None:
        door = GuestDoor(cluster, None, "shop")  # type: ignore[arg-type]
        async with door.open("web", Usage.EXEC, ("web",)):
            raise AssertionError

    async def interrupt() -> list[tuple[str, str]]:
        cluster = SlowCluster()
        entering = asyncio.ensure_future(enter(cluster))
        await cluster.is_asked.wait()
        entering.cancel()
        await asyncio.sleep(0)  # it is cancelled before the answer comes
        if answered:
            cluster.answers.set()
        with pytest.raises(asyncio.CancelledError):
            await entering
        return cluster.deleted

    return asyncio.run(interrupt())


def test_a_request_that_is_created_after_a_signal_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert interrupted(monkeypatch, answered=True) == [("web-x7", "ours")]


def test_a_creation_that_is_not_answered_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert interrupted(monkeypatch, answered=False) == []


def test_the_request_is_deleted_while_the_sockets_are_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The sockets are never closed here."""
    monkeypatch.setattr(guest, "_TLS_ENDS", 3600)
    monkeypatch.setattr(guest, "_WITHDRAWAL", PATIENCE)
    api = ReachApi()

    async def leave() -> None:
        runner = await api.start()
        async with (
            asyncio.timeout(PATIENCE),
            session(Target(kubeconfig=str(api.kubeconfig(tmp_path)))) as opened,
        ):
            left = asyncio.Event()

            async def enter() -> None:
                door = GuestDoor(opened.cluster, opened.connection, "shop")
                async with door.open("web", Usage.EXEC, ("web",)):
                    assert api.requests
                left.set()

            entering = asyncio.ensure_future(enter())
            while not api.made or api.requests:
                assert not entering.done()
                await asyncio.sleep(0.01)
            assert not left.is_set()
            entering.cancel()
            await asyncio.gather(entering, return_exceptions=True)
        await runner.cleanup()

    asyncio.run(leave())


def condition(kind: str, status: str, message: str) -> Raw:
    return {"conditions": [{"type": kind, "status": status, "message": message}]}


def test_one_usage_is_asked_for_and_the_request_is_withdrawn() -> None:
    cluster = Cluster(ISSUED)
    assert "no certificates that can be used" in way_in(cluster)
    spec = cluster.created["spec"]
    assert (spec["workload"], spec["usages"], spec["expirationSeconds"]) == ("web", ["exec"], 600)
    assert spec["request"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert cluster.deleted == [("web-x7", "ours")], "even though nobody answers"


def test_an_answer_of_another_version_says_so() -> None:
    assert way_in(Cluster({"certificate": "x"})) == (
        "this version of twinhull can't read the operator's answer: use the twinhull of the operator's "
        "version"
    )


def test_what_is_stalled_is_told_at_once() -> None:
    stalled = {
        "conditions": [
            {"type": "Ready", "status": "False", "message": "the operator runs without --guest-key-file"},
            {"type": "Stalled", "status": "True", "message": "…"},
        ]
    }
    assert way_in(Cluster(stalled)) == "the operator runs without --guest-key-file"


@pytest.mark.parametrize("uid", ["of somebody else", ""])
def test_another_request_of_that_name_is_not_ours(uid: str) -> None:
    cluster = Cluster(ISSUED, uid=uid)
    assert way_in(cluster) == "AccessRequest web-x7 was deleted unanswered: try again"
    assert cluster.deleted == [("web-x7", "ours")], "only ours"


def test_who_may_not_create_one_is_told_what_it_is_for() -> None:
    message = way_in(Cluster(error=Refused("accessrequests.twinhull.dev is forbidden")))
    assert "you need the right to create AccessRequests in namespace shop" in message
    assert "docs/reaching-in.md" in message


def test_an_operator_that_does_not_answer_is_waited_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "_PATIENCE", 0.2)
    assert "the operator hasn't seen the request" in way_in(Cluster())
    waiting = condition("Ready", "False", "the guest of Workload web hasn't answered yet")
    message = way_in(Cluster(waiting))
    assert "the guest of Workload web hasn't answered yet" in message
    assert "guestAccess.enabled" in message
