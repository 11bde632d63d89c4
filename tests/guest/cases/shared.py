"""What containers of a Pod share, and unusual names and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import REGISTRY, Scenario, config_map, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

_VOLUME = {"name": "logs", "mountPath": "/logs"}
SHARED = Scenario(
    "shared",
    {
        "spec": {
            "shareProcessNamespace": True,
            "securityContext": {
                "runAsUser": 1000,
                "supplementalGroups": [4000],
                "supplementalGroupsPolicy": "Strict",
            },
            "hostname": "given",
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": ["10.0.2.3", "10.0.2.4", "10.0.2.5"],
                "searches": ["only.example"],
                "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
            },
            "containers": [
                container("app", port=8080, volumeMounts=[_VOLUME, {"name": "image", "mountPath": "/image"}]),
                container(
                    "shipper",
                    port=8081,
                    volumeMounts=[
                        {**_VOLUME, "readOnly": True},
                        {"name": "config", "mountPath": "/etc/one", "subPath": "one"},
                    ],
                ),
                container("terminal", port=8082, stdin=True, tty=True),
                container(
                    "hooked",
                    port=8083,
                    command=["/bin/conformance", "--log=$(SAID)"],
                    env=[{"name": "SAID", "value": "by the command"}],
                    lifecycle={  # asks another container, since nothing says that this one listens yet
                        "postStart": {"httpGet": {"path": "/write?path=/tmp/hook&text=yes", "port": 8080}}
                    },
                ),
            ],
            "volumes": [
                {"name": "logs", "emptyDir": {}},
                {"name": "image", "image": {"reference": f"{REGISTRY}/numeric-user:1"}},
                {"name": "config", "configMap": {"name": "config", "items": [{"key": "a", "path": "one"}]}},
            ],
        }
    },
    objects=(config_map("config", {"a": "1"}),),
)


@SHARED.case("shareProcessNamespace: all see each other, and the pause is first", docs.SHARED_PIDS)
def processes(run: ScenarioRun) -> None:
    found = run.report(8080)
    assert found["pid"] != 1
    assert sum("conformance" in process for process in found["processes"]) == 4
    assert "pause" in found["processes"][0]


@SHARED.case("a sidecar reads what another container writes", docs.EMPTY_DIR)
def shared_volume(run: ScenarioRun) -> None:
    assert run.get(8080, "/write", path="/logs/app.log", text="one line\n") == "done"
    assert run.file(8081, "/logs/app.log")["text"] == "one line\n"
    assert run.get(8081, "/write", path="/logs/x", text="x") == "read-only file system"
    assert run.file(8080, "/logs")["mode"] == "0777"


@SHARED.case("supplementalGroupsPolicy Strict: the image's groups don't count", docs.SECURITY)
def strict_groups(run: ScenarioRun) -> None:
    found = run.report(8080)
    assert (found["uid"], sorted(found["groups"])) == (1000, [1000, 4000])


@SHARED.case("another image's files as a volume", docs.IMAGE_VOLUME)
def image_volume(run: ScenarioRun) -> None:
    assert run.get(8080, "/file", path="/image/data/from-image") == "image\n"
    assert run.get(8080, "/write", path="/image/x", text="x") == "read-only file system"


@SHARED.case("one file of a ConfigMap by subPath and items", docs.SUB_PATH)
def one_file(run: ScenarioRun) -> None:
    assert run.file(8081, "/etc/one")["text"] == "1"


@SHARED.case("a hostname that isn't the Workload's name", docs.DNS)
def names(run: ScenarioRun) -> None:
    found = run.report(8080)
    assert found["hostname"] == "given"
    assert found["files"]["/etc/hostname"]["text"].strip() == "given"
    entries = [line.split()[1:] for line in found["files"]["/etc/hosts"]["text"].splitlines() if line]
    assert ["given"] in entries


@SHARED.case("dnsPolicy None: only what dnsConfig says", docs.DNS)
def resolver(run: ScenarioRun) -> None:
    lines = run.report(8080)["files"]["/etc/resolv.conf"]["text"].splitlines()
    words = sorted(line.split() for line in lines if line and not line.startswith("#"))
    options = words.pop(3)
    assert sorted(options) == ["edns0", "ndots:2", "options"]  # the kubelet puts them in any order
    assert words == [
        ["nameserver", "10.0.2.3"],
        ["nameserver", "10.0.2.4"],
        ["nameserver", "10.0.2.5"],
        ["search", "only.example"],
    ]


@SHARED.case("a terminal, if it was asked for", docs.API)
def terminal(run: ScenarioRun) -> None:
    assert run.report(8082)["terminal"]
    assert not run.report(8080)["terminal"]
    assert run.report(8080)["stdin"] == "/dev/null"


@SHARED.case("command replaces the entrypoint, args are kept, both with $(…)", docs.COMMAND)
def command(run: ScenarioRun) -> None:
    assert run.report(8083)["argv"] == ["/bin/conformance", "--log=by the command", "--serve=8083"]


@SHARED.case("a postStart hook by HTTP", docs.HOOKS)
def hook(run: ScenarioRun) -> None:
    assert run.file(8080, "/tmp/hook")["text"] == "yes"  # noqa: S108
