"""What writes the statuses of policies, for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.decisions import Decisions
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.executor import Executor
from twinhull.shell.policy_controller import ObservedPolicy, PolicyController
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import Reconciler
from twinhull.shell.refusals import Refusals
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Store


def policy_reconciler(
    cluster: Cluster, store: Store, decisions: Decisions, queue: Queue, now: Callable[[], datetime]
) -> Reconciler[ObservedPolicy]:
    """The reconciler of policies, as the application has it."""
    return Reconciler(
        PolicyController(store, decisions, now),
        store,
        queue,
        Executor(cluster, store, Refusals(), queue.add, 1, now),
        StatusWriter(kinds.ISOLATION_POLICY, cluster, store),
        EventRecorder(cluster),
    )
