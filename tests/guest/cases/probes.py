"""Probes of every kind, failing and recovering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.guest.cases import documentation as docs
from tests.guest.scenario import Scenario, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

_OFTEN = {"periodSeconds": 3, "failureThreshold": 2, "timeoutSeconds": 6}
#: Each one starts a process, which is slow on emulated processors.
_SELDOM = {"periodSeconds": 8, "failureThreshold": 1, "timeoutSeconds": 20}


def _exists(path: str) -> dict[str, Any]:
    return {"exec": {"command": ["/bin/conformance", f"--exists={path}"]}}


PROBES = Scenario(
    "probes",
    {
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [
                container(
                    "http",
                    port=8080,
                    livenessProbe={"httpGet": {"path": "/health", "port": "web"}, **_OFTEN},
                    readinessProbe={**_exists("/tmp/ready"), **_SELDOM},  # noqa: S108
                ),
                container(
                    "tcp",
                    *("--tcp=7070", "--tls=8443"),
                    port=8081,
                    livenessProbe={"tcpSocket": {"port": 7070}, **_OFTEN},
                    readinessProbe={
                        "httpGet": {"path": "/health", "port": 8443, "scheme": "HTTPS"},
                        **_OFTEN,
                    },
                ),
                container(
                    "grpc",
                    "--grpc=9090",
                    port=8082,
                    livenessProbe={"grpc": {"port": 9090, "service": "anything"}, **_OFTEN},
                ),
                container(
                    "exec",
                    *("--append=/tmp/alive:x", "--grpc=9091"),
                    port=8083,
                    livenessProbe={**_exists("/tmp/alive"), **_SELDOM},  # noqa: S108
                    readinessProbe={"grpc": {"port": 9091}, **_OFTEN},
                ),
                container(
                    "startup",
                    "--ignore",
                    port=8084,
                    startupProbe={"tcpSocket": {"port": 7071}, "periodSeconds": 3, "failureThreshold": 300},
                    livenessProbe={"httpGet": {"path": "/health", "port": 8084}, **_OFTEN},
                ),
            ],
        }
    },
    settles=lambda run: run.machine.eventually(
        lambda: all("running" in one["state"] for one in run.machine.status()["containerStatuses"]),
        900,
        "all containers run",
    ),
)
PROBES.template["spec"]["containers"][0]["ports"][0]["name"] = "web"


@PROBES.case("a startupProbe keeps the others waiting", docs.PROBES)
def startup(run: ScenarioRun) -> None:
    assert not run.container("startup")["started"]
    assert not run.container("startup")["ready"]
    assert run.get(8084, "/seen", path="/health").strip() == "null"  # nobody has asked yet
    run.get(8084, "/listen", port="7071")
    run.eventually(lambda: run.container("startup")["started"], "it has started")
    run.eventually(lambda: run.container("startup")["ready"], "and is ready")
    run.eventually(lambda: run.get(8084, "/seen", path="/health").strip() != "null", "it is asked")


@PROBES.case("readiness by exec", docs.PROBES)
def ready_exec(run: ScenarioRun) -> None:
    assert not run.container("http")["ready"]
    run.get(8080, "/write", path="/tmp/ready", text="x")  # noqa: S108
    run.eventually(lambda: run.container("http")["ready"], "it is ready")


@PROBES.case("readiness by gRPC, failing and recovering", docs.PROBES)
def ready_grpc(run: ScenarioRun) -> None:
    run.eventually(lambda: run.container("exec")["ready"], "it is ready")
    run.get(8083, "/set", health="bad")
    run.eventually(lambda: not run.container("exec")["ready"], "it isn't")
    run.get(8083, "/set", health="good")
    run.eventually(lambda: run.container("exec")["ready"], "it is again")


@PROBES.case("readiness by HTTPS, whoever signed the certificate", docs.PROBES)
def ready_tls(run: ScenarioRun) -> None:
    run.eventually(lambda: run.container("tcp")["ready"], "it is ready")
    run.get(8081, "/set", health="bad")
    run.eventually(lambda: not run.container("tcp")["ready"], "it isn't")
    run.get(8081, "/set", health="good")
    run.eventually(lambda: run.container("tcp")["ready"], "it is again")


@PROBES.case("the machine is ready when all containers are", docs.PROBES)
def all_ready(run: ScenarioRun) -> None:
    run.ready(60)
    assert run.machine.condition("ContainersReady") == "True"


@PROBES.case("readiness by exec, failing again", docs.PROBES)
def unready_exec(run: ScenarioRun) -> None:
    run.get(8080, "/remove", path="/tmp/ready")  # noqa: S108
    run.eventually(lambda: not run.container("http")["ready"], "it isn't ready")
    assert run.container("http")["restartCount"] == 0
    run.get(8080, "/write", path="/tmp/ready", text="x")  # noqa: S108


@PROBES.case("liveness by HTTP on a named port: the container is restarted", docs.PROBES)
def live_http(run: ScenarioRun) -> None:
    run.get(8080, "/set", health="bad")
    _restarted(run, "http")


@PROBES.case("liveness by TCP", docs.PROBES)
def live_tcp(run: ScenarioRun) -> None:
    run.get(8081, "/deafen", port="7070")
    _restarted(run, "tcp")


@PROBES.case("liveness by gRPC", docs.PROBES)
def live_grpc(run: ScenarioRun) -> None:
    run.get(8082, "/set", health="bad")
    _restarted(run, "grpc")


@PROBES.case("liveness by exec, in the container's own file system", docs.PROBES)
def live_exec(run: ScenarioRun) -> None:
    run.get(8083, "/remove", path="/tmp/alive")  # noqa: S108
    _restarted(run, "exec")


@PROBES.case("a probe that takes longer than its timeout has failed", docs.PROBES)
def timeout(run: ScenarioRun) -> None:
    run.get(8081, "/slow", by="10s")
    run.eventually(lambda: not run.container("tcp")["ready"], "it isn't ready")
    run.get(8081, "/slow", by="0s")


@PROBES.case("no container is restarted that needn't be", docs.PROBES)
def others(run: ScenarioRun) -> None:
    assert {one["name"]: one["restartCount"] for one in run.machine.status()["containerStatuses"]} == {
        **dict.fromkeys(("http", "tcp", "grpc", "exec"), 1),
        "startup": 0,
    }


def _restarted(run: ScenarioRun, name: str) -> None:
    """It is once killed by TERM, or by KILL after its grace period, and runs again."""

    def runs_again() -> bool:
        status = run.container(name)
        return bool(status["restartCount"]) and "running" in status["state"]

    run.eventually(runs_again, f"{name} is restarted, and runs again")
    status = run.container(name)
    assert status["restartCount"] == 1
    ended = status["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) in {(2, "Error"), (143, "Error"), (137, "Error")}
