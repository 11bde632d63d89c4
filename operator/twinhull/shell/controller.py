"""What the reconciler needs of a kind: how one object is observed, what to do about it, and what to say.

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
        """That object. Nothing else of its metadata is looked at."""
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "")
        return cls(namespace, metadata["name"], metadata["uid"], int(metadata["generation"]))

    @classmethod
    def by(cls, metadata: ObjectMeta) -> ReconciledObject:
        """The object of that metadata."""
        return cls(metadata.namespace, metadata.name, metadata.uid, metadata.generation)

    @property
    def key(self) -> Key:
        """By which the store and the queue know it."""
        return self.namespace, self.name

    @property
    def version(self) -> tuple[str, int]:
        """What tells this spec from any other, even of an object of the same name that was made anew."""
        return self.uid, self.generation


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What to do about one object: the actions first; once there are none left, the status and the Events."""

    #: The object that this is about.
    owner: ReconciledObject
    #: What to write or to delete, in order.
    actions: tuple[Action, ...] = ()
    #: Gives the whole status that is to be. None if the status is left as it is.
    status: Callable[[], Raw] | None = None
    #: What is posted as Events once the status was written.
    events: tuple[Event, ...] = ()
    #: What is logged once the status was written.
    log: tuple[Event, ...] = ()
    #: What the lines of the log are about beside the object, as Kind/name; empty if it is nothing else.
    about: str = ""
    #: After how long the object is looked at again though nothing happens. None if it isn't.
    requeue_after: timedelta | None = None
    #: Whether a pass carries out the actions of one plan only. What is to be done after them is for a further
    #: pass: of an object that can't be read it may never be seen that an action had an effect.
    one_round: bool = False
    #: Whether the object is looked at again once its status was written, since that may allow more.
    again_after_status: bool = False


class Controller(ABC, Generic[_Observed]):
    """One kind of object, as the reconciler works on it. A subclass observes an object and plans.

    For a key the reconciler calls `observe`, `remember`, `plan` and `planned`, carries out the actions of the
    plan, and begins again until a plan has none. It then writes the plan's status if it differs from the last
    seen one, and calls `written`. `observe` and `plan` change nothing. What has to be kept from pass to pass
    is kept by the other methods, which do nothing unless a subclass says otherwise.
    """

    #: The kind of the objects.
    kind: ClassVar[Kind]
    #: The field of the log in JSON that names an object.
    log_field: ClassVar[str]

    @abstractmethod
    def observe(self, key: Key) -> _Observed | None:
        """What is known of the object of that key now. None if there is none."""

    @abstractmethod
    def plan(self, observed: _Observed) -> ObjectPlan:
        """What to do about an object that was observed so."""

    def leftovers(self, key: Key) -> ObjectPlan | None:
        """What to do about what an object has left that isn't there any more. None if it is nothing."""
        del key
        return None

    def remember(self, key: Key, observed: _Observed | None) -> None:
        """Keep what a later pass has to know of this observation. None if the object is gone."""

    def planned(self, key: Key, observed: _Observed, plan: ObjectPlan) -> None:
        """A plan was made, and is about to be carried out."""

    def written(self, key: Key, observed: _Observed, status: Raw) -> None:
        """The status was written, and is another than before."""

    def urgent(self, observed: _Observed) -> ObjectPlan | None:
        """What is done though a pass has failed. None if nothing is."""
        del observed
        return None

    def failure(self, key: Key, error: str, failure_id: str) -> ObjectPlan | None:
        """What to say of an object at which a pass has failed. None if nothing is said.

        `error` is the Python type of what was raised, and `failure_id` the id that the log has for it.
        """
        del key, error, failure_id
        return None
