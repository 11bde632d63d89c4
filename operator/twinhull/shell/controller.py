"""What the reconciler needs for each kind: how an object is observed, and the plan of actions, status and
Events.

Each kind that the operator acts on has one Controller: Workload (workload_controller.py), IsolationPolicy
(policy_controller.py) and AccessRequest (access_controller.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

from twinhull.api.base import Raw
from twinhull.api.workload import ObjectMeta
from twinhull.core.actions import Action, Event
from twinhull.shell.kinds import Kind
from twinhull.shell.store import Key

_Observed = TypeVar("_Observed")


@dataclass(frozen=True, slots=True)
class ReconciledObject:
    """The object that is reconciled, and for which others are written."""

    #: Its namespace, empty if it has none.
    namespace: str
    #: Its name.
    name: str
    #: Its uid, which tells it from another object of the same name.
    uid: str
    #: Its metadata.generation, which tells one spec of it from another.
    generation: int

    @classmethod
    def of(cls, obj: Raw) -> ReconciledObject:
        """The identity of an object. Only these four fields of its metadata are read, so it also works for an
        object that can't be read.
        """
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "")
        return cls(namespace, metadata["name"], metadata["uid"], int(metadata["generation"]))

    @classmethod
    def by(cls, metadata: ObjectMeta) -> ReconciledObject:
        """The identity of the object that has this metadata."""
        return cls(metadata.namespace, metadata.name, metadata.uid, metadata.generation)

    @property
    def key(self) -> Key:
        """The key of the object in the store and the queue."""
        return self.namespace, self.name

    @property
    def version(self) -> tuple[str, int]:
        """The uid and generation: they tell this spec from any other, even if an object of the same name was
        made anew.
        """
        return self.uid, self.generation


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What to do about one object. Its actions are carried out first. Its status and Events are written once
    a plan has no more actions.
    """

    #: The object that the plan is for.
    owner: ReconciledObject
    #: What to write or to delete, in order.
    actions: tuple[Action, ...] = ()
    #: Computes the whole status that the object should have. None if the status is left as it is.
    status: Callable[[], Raw] | None = None
    #: Events that are posted once the status was written.
    events: tuple[Event, ...] = ()
    #: Events that are logged once the status was written.
    log: tuple[Event, ...] = ()
    #: The hull that the log names beside the object, as Kind/name. Empty if there is none.
    about: str = ""
    #: After how long the object is reconciled again if nothing happens meanwhile. None if it isn't.
    requeue_after: timedelta | None = None
    #: Whether a pass carries out the actions of one plan only, and leaves the next plan to a further pass. An
    #: object that can't be read may never show that an action had an effect, so that the same actions are
    #: planned again in each round.
    one_round: bool = False
    #: Whether the object is reconciled again once its status was written, since the new status may allow more
    #: actions.
    again_after_status: bool = False


class Controller(ABC, Generic[_Observed]):
    """How the reconciler works on one kind of object. A subclass observes an object and makes plans.

    For a key the reconciler calls `observe`, `remember`, `plan` and `planned`, carries out the actions of the
    plan, and starts again until a plan has no actions. It then writes the plan's status if it differs from
    the last seen one, and calls `written`. `observe` and `plan` change nothing. The other methods keep what
    later passes need. They do nothing unless a subclass overrides them.
    """

    #: The kind of the objects.
    kind: ClassVar[Kind]
    #: The field of the log in JSON that names an object.
    log_field: ClassVar[str]

    @abstractmethod
    def observe(self, key: Key) -> _Observed | None:
        """What is known of the object of that key now. None if there is no such object."""

    @abstractmethod
    def plan(self, observed: _Observed) -> ObjectPlan:
        """The plan for an observed object."""

    def leftovers(self, key: Key) -> ObjectPlan | None:
        """What to do about the objects that a deleted object has left. None if there is nothing to do."""
        del key
        return None

    def remember(self, key: Key, observed: _Observed | None) -> None:
        """Keep what later passes need of this observation. `observed` is None if the object is gone."""

    def planned(self, key: Key, observed: _Observed, plan: ObjectPlan) -> None:
        """Note a plan that is about to be carried out."""

    def written(self, key: Key, observed: _Observed, status: Raw) -> None:
        """Note that the status was written, and differs from the former one."""

    def urgent(self, observed: _Observed) -> ObjectPlan | None:
        """The actions that are carried out even after a pass has failed. None if there are none."""
        del observed
        return None

    def failure(self, key: Key, error: str, failure_id: str) -> ObjectPlan | None:
        """The status and Events that tell of a failed pass. None if nothing is told.

        `error` is the Python type of the exception, and `failure_id` the id under which the log has it.
        """
        del key, error, failure_id
        return None
