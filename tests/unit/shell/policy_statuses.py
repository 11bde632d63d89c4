"""What writes the statuses of policies, for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.events import Events
from twinhull.shell.executor import Executor
from twinhull.shell.policy_controller import ObservedPolicy, PolicyController
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import Reconciler
from twinhull.shell.refusals import Refusals
from twinhull.shell.rulings import Rulings
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Store


def policy_reconciler(
    cluster: Cluster, store: Store, rulings: Rulings, queue: Queue, now: Callable[[], datetime]
) -> Reconciler[ObservedPolicy]:
    """The reconciler of policies, as the application has it."""
    return Reconciler(
        PolicyController(store, rulings, now),
        store,
        queue,
        Executor(cluster, store, Refusals(), queue.add, 1, now),
        StatusWriter(kinds.ISOLATION_POLICY, cluster, store),
        Events(cluster),
    )
