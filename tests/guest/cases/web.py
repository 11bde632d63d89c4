"""What a web server shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.guest.cases import documentation as docs
from tests.guest.cases.webserver import LITERAL, NUMBERED, TEMPLATE
from tests.guest.guestapi import GuestApi
from tests.guest.made import SECRET
from tests.guest.nodekubelet import POD_IP
from tests.guest.scenario import NAMESPACE, Scenario
from tests.guest.templates.variables import AWKWARD, CREDENTIALS, EXPANDED, SETTINGS
from twinhull.shell.guest_certificate import new_client

if TYPE_CHECKING:
    from tests.guest.stage import Stage

WEB = Scenario("web", TEMPLATE, objects=(SETTINGS, CREDENTIALS), quick=True)


@WEB.case("arguments arrive as they are, less $(…)", docs.COMMAND)
def arguments(stage: Stage) -> None:
    assert stage.report(8080)["argv"] == [
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
def environment(stage: Stage) -> None:
    assert len(LITERAL) == 200
    expected = {**AWKWARD, **{name: value for name, (_, value) in EXPANDED.items()}, **NUMBERED}
    found = stage.env(8080)
    assert {name: found.get(name) for name in expected} == expected


@WEB.case("nothing is in the environment that nobody put there", docs.ENV)
def no_other_environment(stage: Stage) -> None:
    # Services are found by DNS: those of the cluster (KUBERNETES_SERVICE_HOST, …) are refused in a machine.
    others = {name for name in stage.env(8080) if not name.startswith("KUBERNETES_")} - set(LITERAL)
    assert others == {"PATH", "HOSTNAME", "HOME"}
    assert stage.env(8080)["HOME"] == "/root"


@WEB.case("envFrom with a prefix, env before envFrom", docs.CONFIG_MAP)
def environment_from(stage: Stage) -> None:
    found = stage.env(8081)
    assert found["CFG_mode"] == "fast"
    assert found["CFG_app.conf"] == "listen 8080\n$(GREETING)\n"
    assert found["PASSWORD"] == "from env"  # noqa: S105
    assert "CFG_blob" not in found


@WEB.case("values from ConfigMaps and Secrets aren't expanded, but others may use them", docs.DEPENDENT_ENV)
def unexpanded(stage: Stage) -> None:
    found = stage.env(8081)
    assert found["TRICKY"] == "$(GREETING) $$(GREETING) $"
    assert found["TOKEN"] == "t0k$(GREETING)en"  # noqa: S105
    assert found["USES"] == "fast t0k$(GREETING)en fast"
    assert "ABSENT" not in found


@WEB.case("args replace the image's command and keep its entrypoint, env and folder", docs.COMMAND)
def image_configuration(stage: Stage) -> None:
    found = stage.report(8081)
    assert found["argv"] == ["/bin/conformance", "--paths=/srv", "--serve=8081", "--stay"]
    assert found["cwd"] == "/srv/www"
    env = stage.env(8081)
    assert (env["FROM_IMAGE"], env["EMPTY"]) == ("yes", "")
    assert env["GREETING"] == "image says $(NOT_EXPANDED) ${NOR_THIS}"


@WEB.case("workingDir", docs.API)
def working_folder(stage: Stage) -> None:
    assert stage.report(8080)["cwd"] == "/srv"


@WEB.case("a ConfigMap volume shows its items under their paths, with their modes", docs.CONFIG_MAP)
def config_map_volume(stage: Stage) -> None:
    files = stage.report(8080, "/etc/app")["files"]
    assert set(files["/etc/app"]["entries"]) == {"..data", "blob", "conf.d", "mode"}
    assert files["/etc/app/conf.d/app.conf"]["text"] == SETTINGS["data"]["app.conf"]
    assert files["/etc/app/..data/conf.d/app.conf"]["mode"] == "0440"
    assert files["/etc/app/..data/mode"]["mode"] == "0600"
    assert files["/etc/app/..data/blob"]["mode"] == "0440"
    assert files["/etc/app/blob"]["base64"] == "AAECAwT/"
    assert "ro" in stage.mount(8080, "/etc/app")["options"]


@WEB.case("a ConfigMap volume of all keys", docs.CONFIG_MAP)
def whole_volume(stage: Stage) -> None:
    files = stage.report(8080, "/srv/www")["files"]
    keys = {*SETTINGS["data"], *SETTINGS["binaryData"]}
    assert set(files["/srv/www"]["entries"]) == {*keys, "..data"}
    link = files["/srv/www/mode"]
    assert (link["kind"], link["target"], link["text"]) == ("link", "..data/mode", "fast")


@WEB.case("hostname, and the Pod's own names in /etc/hosts beside hostAliases", docs.HOSTS)
def hosts(stage: Stage) -> None:
    found = stage.report(8080)
    assert found["hostname"] == "web"
    entries = [line.split() for line in found["files"]["/etc/hosts"]["text"].splitlines()]
    assert ["127.0.0.1", "localhost"] in entries
    assert ["10.9.8.7", "alias.example", "alias"] in entries
    assert ["web.inner.shop.svc.cluster.local", "web"] in [entry[1:] for entry in entries]
    assert stage.get(8080, "/lookup", name="alias.example") == "10.9.8.7"


@WEB.case("resolv.conf as ClusterFirst has it, with dnsConfig merged", docs.DNS)
def resolver(stage: Stage) -> None:
    lines = stage.report(8080)["files"]["/etc/resolv.conf"]["text"].splitlines()
    found = {line.split()[0]: line.split()[1:] for line in lines if line and not line.startswith("#")}
    cluster = [f"{NAMESPACE}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    assert found["search"] == [*cluster, "more.example"]
    assert found["nameserver"] == ["10.0.2.3"]
    assert set(found["options"]) == {"ndots:5", "timeout:3"}


@WEB.case("a probe's headers, and its Host", docs.PROBES)
def probe_headers(stage: Stage) -> None:
    headers = json.loads(stage.get(8080, "/seen", path="/health?of=web"))
    assert headers["X-Probe"] == ["yes, it is"]
    assert headers["User-Agent"] == ["kube-probe/1.37"]
    assert headers["Accept"] == ["*/*"]
    assert headers["Host"][0].rpartition(":")[2] == "8080"


@WEB.case("the machine is ready when its Pod is, and no longer when it isn't", docs.PROBES)
def readiness(stage: Stage) -> None:
    assert stage.machine.condition("Ready") == "True"
    stage.get(8080, "/set", health="bad")
    stage.unready()
    assert stage.machine.condition("Ready") == "False"
    assert not stage.container("web")["ready"]
    assert stage.container("from")["ready"]
    last = stage.machine.kubelet.last
    assert last is not None
    assert last.code == 503
    assert "web" in last.text
    stage.get(8080, "/set", health="good")
    stage.ready(60)
    assert stage.container("web")["restartCount"] == 0


@WEB.case("only the node's kubelet is told whether the Pod is ready", docs.CONTRACT)
def probe_token(stage: Stage) -> None:
    kubelet = stage.machine.kubelet
    assert kubelet.ask(headers={}).code == 403
    assert kubelet.ask(headers={"Twinhull-Probe": "wrong"}).code == 403
    assert kubelet.ask().code == 200


@WEB.case("only the operator is told the status", docs.CONTRACT)
def api_clients(stage: Stage) -> None:
    own = stage.machine.api
    other = stage.machine.place.folder / "another-client.pem"
    other.write_bytes(new_client(SECRET, "uid-of-another-workload", datetime.now(UTC)))
    with pytest.raises(OSError, match=r"(?i)alert|reset|closed"):
        GuestApi(own.address, own.port, other).status()
    assert own.status()["version"]


@WEB.case("the guest's own ports are no way in for the Pod or the network", docs.CONTRACT)
def own_ports(stage: Stage) -> None:
    (address,) = (
        line.split()[0] for line in stage.file(8080, "/etc/hosts")["text"].splitlines() if "\tweb" in line
    )
    assert "refused" in stage.get(8080, "/dial", address=f"{address}:65251")


@WEB.case("the status has the Pod's address and names", docs.CONTRACT)
def status(stage: Stage) -> None:
    answer = stage.machine.answer()
    assert (answer["error"], answer["final"]) == ("", False)
    status = answer["pod"]["status"]
    assert status["phase"] == "Running"
    assert status["podIP"] == POD_IP
    assert {one["name"] for one in status["containerStatuses"]} == {"web", "from"}
    assert all(one["started"] and "running" in one["state"] for one in status["containerStatuses"])


@WEB.case("containers' lines are on the console under their names", docs.CONTRACT)
def console(stage: Stage) -> None:
    stage.get(8080, "/log", line="a line for the console: ünïcødé")
    stage.get(8080, "/error", line="another, of the other stream")

    def seen() -> bool:
        lines = stage.machine.console().splitlines()
        said = [line for line in lines if "a line for the console: ünïcødé" in line]
        other = [line for line in lines if "another, of the other stream" in line]
        return bool(said and other) and all("web" in line for line in (*said, *other))

    stage.eventually(seen, "both lines are on the console", 20)


@WEB.case("a changed ConfigMap shows in its volume, and not through subPath", docs.SUB_PATH)
def update(stage: Stage) -> None:
    assert stage.file(8080, "/srv/fixed.html")["text"] == "<h1>one</h1>\n"
    changed = {**SETTINGS, "data": {**SETTINGS["data"], "index.html": "<h1>two</h1>\n", "new": "key"}}
    stage.change(changed)
    stage.eventually(
        lambda: stage.file(8080, "/srv/www/index.html")["text"] == "<h1>two</h1>\n",
        "the volume shows it",
        120,
    )
    assert stage.file(8080, "/srv/www/new")["text"] == "key"
    assert stage.file(8080, "/srv/fixed.html")["text"] == "<h1>one</h1>\n"
    assert stage.file(8080, "/etc/app")["entries"] == ["..data", "blob", "conf.d", "mode"]
