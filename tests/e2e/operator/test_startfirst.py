"""StartFirst: the new hull is there, ready and reached before the old one goes."""

from __future__ import annotations

import pytest

from tests.e2e.operator.history import History
from tests.e2e.operator.subject import NEVER_READY, WORKLOAD_LABEL, Manifest, Subject, container, template

pytestmark = pytest.mark.simulated

PORTS = [{"name": "http", "containerPort": 80}]
HULL_NAME_LABEL = "twinhull.dev/hull-name"


def serving(command: str, **annotations: str) -> Manifest:
    """A template with a port; another command is another revision."""
    return template(annotations, containers=[container(ports=PORTS, command=[command])])


def start_first(deadline: int = 600, drain: int = 1) -> Manifest:
    return {"strategy": "StartFirst", "progressDeadlineSeconds": deadline, "drainSeconds": drain}


def assert_overlap(history: History, first: str, second: str) -> None:
    """The first hull was still there when the second came."""
    lives = {life.name: life for kind in ("Pod", "VirtualMachine") for life in history.lives(kind)}
    assert lives[first].overlaps(lives[second])


def selector(web: Subject) -> Manifest:
    found: Manifest = web.one("Service", "web")["spec"]["selector"]
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [("Container", "VirtualMachine"), ("VirtualMachine", "Container"), ("VirtualMachine", "VirtualMachine")],
)
def test_the_old_hull_goes_once_the_new_one_is_reached(web: Subject, before: str, after: str) -> None:
    history = History.begin(web.cluster, web.namespace)
    web.apply(before, serving("a"), replacement=start_first())
    first = web.becomes("Ready")["status"]["hull"]
    web.apply(after, serving("b"), replacement=start_first())
    second = web.becomes("Ready")["status"]["hull"]
    assert second["name"] != first["name"]
    assert web.get()["status"]["lastChange"]["how"] == "Replaced"
    assert selector(web) == {WORKLOAD_LABEL: "web"}

    reasons = [reason for _, reason, _ in web.gets_event("Replacing")]
    assert reasons.index("TrafficMoved") < reasons.index("Replacing")
    assert_overlap(history, first["name"], second["name"])


def test_a_new_hull_that_never_gets_ready_goes_and_is_not_tried_again(
    web: Subject,
) -> None:
    web.apply("Container", serving("a"), replacement=start_first())
    first = web.becomes("Ready")["status"]["hull"]["name"]
    web.apply("Container", serving("b", **{NEVER_READY: "true"}), replacement=start_first(deadline=4))
    failed = web.becomes("ProgressDeadlineExceeded")
    assert failed["status"]["replacement"]["failedAt"]
    web.eventually(lambda: web.belongings()["Pod"] == [first], "only the first hull is left")
    at_rest = {"Ready": "False", "Reconciling": "False", "Stalled": "True", "IsolationResolved": "True"}
    web.eventually(
        lambda: {one["type"]: one["status"] for one in web.get()["status"]["conditions"]} == at_rest,
        "it is said that nothing is under way",
    )
    # A change beside the spec has the operator look again; a change of the spec would have it try again.
    patch = {"metadata": {"annotations": {"example.com/looked-at": "again"}}}
    web.cluster.api.patch("Workload", web.name, web.namespace, patch)
    web.once_known("Ready", "Container")
    assert web.belongings()["Pod"] == [first]
    assert web.get()["status"]["replacement"] == failed["status"]["replacement"]
    web.apply("Container", serving("c"), replacement=start_first())
    second = web.becomes("Ready")["status"]["hull"]["name"]
    web.eventually(lambda: web.belongings()["Pod"] == [second], "the first hull is replaced")
    assert "replacement" not in web.get()["status"]


def test_back_to_the_old_one_in_the_middle(web: Subject) -> None:
    web.apply("Container", serving("a"), replacement=start_first())
    first = web.becomes("Ready")["status"]["hull"]["name"]
    web.apply("Container", serving("b", **{NEVER_READY: "true"}), replacement=start_first())
    web.eventually(lambda: len(web.belongings()["Pod"]) == 2, "the new hull starts")
    web.apply("Container", serving("a"), replacement=start_first())
    web.becomes("Ready")
    web.eventually(lambda: web.belongings()["Pod"] == [first], "the first hull stays alone")


def test_a_third_revision_in_the_middle(web: Subject) -> None:
    history = History.begin(web.cluster, web.namespace)
    web.apply("Container", serving("a"), replacement=start_first())
    first = web.becomes("Ready")["status"]["hull"]["name"]
    web.apply("Container", serving("b", **{NEVER_READY: "true"}), replacement=start_first())
    web.eventually(lambda: len(web.belongings()["Pod"]) == 2, "the new hull starts")
    web.apply("Container", serving("c"), replacement=start_first())
    third = web.becomes("Ready")["status"]["hull"]["name"]
    web.eventually(lambda: web.belongings()["Pod"] == [third], "the third hull is alone")
    assert_overlap(history, first, third)


def test_a_claim_for_one_hull_at_a_time_is_refused(web: Subject) -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    stored = template(
        containers=[container(volumeMounts=[{"name": "data", "mountPath": "/d"}])], volumes=volumes
    )
    web.apply("Container", stored, replacement=start_first())
    web.becomes("ClaimMissing")
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": web.namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    web.cluster.api.create(claim)
    refused = web.becomes("CannotStartFirst")
    assert "claim data is ReadWriteOnce" in refused["status"]["conditions"][0]["message"]
    assert "Pod" not in web.belongings()


def test_a_restart_by_annotation(web: Subject) -> None:
    web.apply("Container", serving("a"), replacement=start_first())
    first = web.becomes("Ready")["status"]["hull"]["name"]
    web.annotate("Workload", "web", **{"twinhull.dev/restart": "1"})
    web.eventually(lambda: web.get()["status"]["hull"]["name"] != first, "there is another hull")
    second = web.becomes("Ready")["status"]["hull"]["name"]
    web.eventually(lambda: web.belongings()["Pod"] == [second], "the first hull is replaced")
