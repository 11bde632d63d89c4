"""What the container of a web server sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.guest.cases import documentation as docs
from tests.guest.cases.webserver import LITERAL, NUMBERED, TEMPLATE
from tests.guest.guestapi import GuestApi
from tests.guest.nodekubelet import POD_IP
from tests.guest.rendered import SECRET
from tests.guest.scenario import NAMESPACE, Scenario
from tests.guest.templates.variables import AWKWARD, CREDENTIALS, EXPANDED, SETTINGS
from twinhull.shell.guest_certificate import new_client

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

WEB = Scenario("web", TEMPLATE, objects=(SETTINGS, CREDENTIALS), quick=True)


@WEB.case("arguments arrive as they are, less $(…)", docs.COMMAND)
def arguments(run: ScenarioRun) -> None:
    assert run.report(8080)["argv"] == [
        *(
            "/bin/conformance",
            "--serve=8080",
            "plain",
            "with space",
            "quote\"d'arg",
            "hello-x",
            "$(GREETING)",
        ),
        *("$(NOBODY)", "ünïcødé", "", "line\nbreak"),
    ]


@WEB.case("200 environment variables, with everything that can be in one", docs.DEPENDENT_ENV)
def environment(run: ScenarioRun) -> None:
    assert len(LITERAL) == 200
    expected = {**AWKWARD, **{name: value for name, (_, value) in EXPANDED.items()}, **NUMBERED}
    found = run.env(8080)
    assert {name: found.get(name) for name in expected} == expected


@WEB.case("nothing is in the environment that nobody put there", docs.ENV)
def no_other_environment(run: ScenarioRun) -> None:
    # Services are found by DNS: those of the cluster (KUBERNETES_SERVICE_HOST, …) are refused in a machine.
    others = {name for name in run.env(8080) if not name.startswith("KUBERNETES_")} - set(LITERAL)
    assert others == {"PATH", "HOSTNAME", "HOME"}
    assert run.env(8080)["HOME"] == "/root"


@WEB.case("envFrom with a prefix, env before envFrom", docs.CONFIG_MAP)
def environment_from(run: ScenarioRun) -> None:
    found = run.env(8081)
    assert found["CFG_mode"] == "fast"
    assert found["CFG_app.conf"] == "listen 8080\n$(GREETING)\n"
    assert found["PASSWORD"] == "from env"  # noqa: S105
    assert "CFG_blob" not in found


@WEB.case("values from ConfigMaps and Secrets aren't expanded, but others may use them", docs.DEPENDENT_ENV)
def unexpanded(run: ScenarioRun) -> None:
    found = run.env(8081)
    assert found["TRICKY"] == "$(GREETING) $$(GREETING) $"
    assert found["TOKEN"] == "t0k$(GREETING)en"  # noqa: S105
    assert found["USES"] == "fast t0k$(GREETING)en fast"
    assert "ABSENT" not in found


@WEB.case("args replace the image's command and keep its entrypoint, env and folder", docs.COMMAND)
def image_configuration(run: ScenarioRun) -> None:
    found = run.report(8081)
    assert found["argv"] == ["/bin/conformance", "--paths=/srv", "--serve=8081", "--stay"]
    assert found["cwd"] == "/srv/www"
    env = run.env(8081)
    assert (env["FROM_IMAGE"], env["EMPTY"]) == ("yes", "")
    assert env["GREETING"] == "image says $(NOT_EXPANDED) ${NOR_THIS}"


@WEB.case("workingDir", docs.API)
def working_folder(run: ScenarioRun) -> None:
    assert run.report(8080)["cwd"] == "/srv"


@WEB.case("a ConfigMap volume shows its items under their paths, with their modes", docs.CONFIG_MAP)
def config_map_volume(run: ScenarioRun) -> None:
    files = run.report(8080, "/etc/app")["files"]
    assert set(files["/etc/app"]["entries"]) == {"..data", "blob", "conf.d", "mode"}
    assert files["/etc/app/conf.d/app.conf"]["text"] == SETTINGS["data"]["app.conf"]
    assert files["/etc/app/..data/conf.d/app.conf"]["mode"] == "0440"
    assert files["/etc/app/..data/mode"]["mode"] == "0600"
    assert files["/etc/app/..data/blob"]["mode"] == "0440"
    assert files["/etc/app/blob"]["base64"] == "AAECAwT/"
    assert "ro" in run.mount(8080, "/etc/app")["options"]


@WEB.case("a ConfigMap volume of all keys", docs.CONFIG_MAP)
def whole_volume(run: ScenarioRun) -> None:
    files = run.report(8080, "/srv/www")["files"]
    keys = {*SETTINGS["data"], *SETTINGS["binaryData"]}
    assert set(files["/srv/www"]["entries"]) == {*keys, "..data"}
    link = files["/srv/www/mode"]
    assert (link["kind"], link["target"], link["text"]) == ("link", "..data/mode", "fast")


@WEB.case("hostname, and the Pod's own names in /etc/hosts beside hostAliases", docs.HOSTS)
def hosts(run: ScenarioRun) -> None:
    found = run.report(8080)
    assert found["hostname"] == "web"
    entries = [line.split() for line in found["files"]["/etc/hosts"]["text"].splitlines()]
    assert ["127.0.0.1", "localhost"] in entries
    assert ["10.9.8.7", "alias.example", "alias"] in entries
    assert ["web.inner.shop.svc.cluster.local", "web"] in [entry[1:] for entry in entries]
    assert run.get(8080, "/lookup", name="alias.example") == "10.9.8.7"


@WEB.case("resolv.conf as ClusterFirst has it, with dnsConfig merged", docs.DNS)
def resolver(run: ScenarioRun) -> None:
    lines = run.report(8080)["files"]["/etc/resolv.conf"]["text"].splitlines()
    found = {line.split()[0]: line.split()[1:] for line in lines if line and not line.startswith("#")}
    cluster = [f"{NAMESPACE}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    assert found["search"] == [*cluster, "more.example"]
    assert found["nameserver"] == ["10.0.2.3"]
    assert set(found["options"]) == {"ndots:5", "timeout:3"}


@WEB.case("a probe's headers, and its Host", docs.PROBES)
def probe_headers(run: ScenarioRun) -> None:
    headers = json.loads(run.get(8080, "/seen", path="/health?of=web"))
    assert headers["X-Probe"] == ["yes, it is"]
    assert headers["User-Agent"] == ["kube-probe/1.37"]
    assert headers["Accept"] == ["*/*"]
    assert headers["Host"][0].rpartition(":")[2] == "8080"


@WEB.case("the machine is ready when its Pod is, and no longer when it isn't", docs.PROBES)
def readiness(run: ScenarioRun) -> None:
    run.eventually(lambda: run.machine.condition("Ready") == "True", "the Pod is ready")
    run.get(8080, "/set", health="bad")
    run.eventually(lambda: run.machine.condition("Ready") == "False", "the Pod isn't ready any more")
    assert not run.container("web")["ready"]
    assert run.container("from")["ready"]

    def reason() -> str:
        last = run.machine.kubelet.last
        assert last is not None
        assert last.code == 503
        return last.text

    assert "web" in run.eventually(reason, "the node's kubelet is told why")
    run.unready()
    run.get(8080, "/set", health="good")
    run.ready(60)
    assert run.container("web")["restartCount"] == 0


@WEB.case("only the node's kubelet is told whether the Pod is ready", docs.CONTRACT)
def probe_token(run: ScenarioRun) -> None:
    kubelet = run.machine.kubelet
    assert kubelet.ask(headers={}).code == 403
    assert kubelet.ask(headers={"Twinhull-Probe": "wrong"}).code == 403
    run.eventually(lambda: kubelet.ask().code == 200, "the node's own kubelet is told")


@WEB.case("only the operator is told the status", docs.CONTRACT)
def api_clients(run: ScenarioRun) -> None:
    own = run.machine.api
    other = run.machine.layout.folder / "another-client.pem"
    other.write_bytes(new_client(SECRET, "uid-of-another-workload", datetime.now(UTC)))
    with pytest.raises(OSError, match=r"(?i)alert|reset|closed|broken pipe|eof"):
        GuestApi(own.address, own.port, other).status()
    assert own.status()["version"]


@WEB.case("the guest's own ports are no way in for the Pod or the network", docs.CONTRACT)
def own_ports(run: ScenarioRun) -> None:
    (address,) = (
        line.split()[0] for line in run.file(8080, "/etc/hosts")["text"].splitlines() if "\tweb" in line
    )
    assert "refused" in run.get(8080, "/dial", address=f"{address}:65251")


@WEB.case("the status has the Pod's address and names", docs.CONTRACT)
def status(run: ScenarioRun) -> None:
    # On a busy machine a look at the volumes may come too late, which the next one puts right.
    answer = run.eventually(
        lambda: (found := run.machine.answer())["error"] == "" and found, "the guest has no trouble"
    )
    assert not answer["final"]
    status = answer["pod"]["status"]
    assert status["phase"] == "Running"
    assert status["podIP"] == POD_IP
    assert {one["name"] for one in status["containerStatuses"]} == {"web", "from"}
    assert all(one["started"] and "running" in one["state"] for one in status["containerStatuses"])


@WEB.case("containers' lines are on the console under their names", docs.CONTRACT)
def console(run: ScenarioRun) -> None:
    run.get(8080, "/log", line="a line for the console: ünïcødé")
    run.get(8080, "/error", line="another, of the other stream")

    def seen() -> bool:
        lines = run.machine.console().splitlines()
        printed = [line for line in lines if "a line for the console: ünïcødé" in line]
        other = [line for line in lines if "another, of the other stream" in line]
        return bool(printed and other) and all("web" in line for line in (*printed, *other))

    run.eventually(seen, "both lines are on the console", 20)


@WEB.case("a changed ConfigMap shows in its volume, and not through subPath", docs.SUB_PATH)
def update(run: ScenarioRun) -> None:
    assert run.file(8080, "/srv/fixed.html")["text"] == "<h1>one</h1>\n"
    changed = {**SETTINGS, "data": {**SETTINGS["data"], "index.html": "<h1>two</h1>\n", "new": "key"}}
    run.change(changed)
    run.eventually(
        lambda: run.file(8080, "/srv/www/index.html")["text"] == "<h1>two</h1>\n",
        "the volume shows it",
        120,
    )
    assert run.file(8080, "/srv/www/new")["text"] == "key"
    assert run.file(8080, "/srv/fixed.html")["text"] == "<h1>one</h1>\n"
    # While a volume is changed there is another link in it for a moment.
    run.eventually(
        lambda: run.file(8080, "/etc/app")["entries"] == ["..data", "blob", "conf.d", "mode"],
        "the other volume has what it had",
    )
