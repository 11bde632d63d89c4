"""By which names and at which ports containers reach each other, before and after a conversion."""

from __future__ import annotations

import shlex
import time
from typing import Any

import pytest

from tests.unit.convert.rendering import render, rendered
from twinhull.api.base import Raw
from twinhull.convert import compose, dockerrun
from twinhull.convert.conversion import Conversion, LeftKind


def convert(services: Raw, **more: Any) -> Conversion:
    given = {name: {"image": "example/a", "restart": "always", **keys} for name, keys in services.items()}
    return compose.convert({"services": given, **more})


def workload(found: Conversion, name: str) -> Any:
    return next(obj for obj in found.objects if (obj["kind"], obj["metadata"]["name"]) == ("Workload", name))


def service(found: Conversion, name: str) -> Any:
    return next(obj for obj in found.objects if (obj["kind"], obj["metadata"]["name"]) == ("Service", name))


def ports(found: Conversion, name: str) -> list[int]:
    container = workload(found, name)["spec"]["template"]["spec"]["containers"][0]
    return [port["containerPort"] for port in container.get("ports", [])]


def checks(found: Conversion) -> dict[str, str]:
    return {one.path: one.why for one in found.left if one.kind is LeftKind.CHECK}


@pytest.mark.parametrize(
    ("asker", "added"),
    [
        ({"environment": {"AMQP_URL": "amqp://guest:guest@rabbit:5672/"}}, [5672]),
        ({"environment": {"AMQP_URL": "amqp://guest:guest@rabbit"}}, [5672]),
        ({"environment": {"URL": "http://rabbit/api"}}, [80]),
        ({"environment": {"DSN": "postgresql+asyncpg://u:p@rabbit/db"}}, [5432]),
        ({"environment": {"DB_HOST": "rabbit", "DB_PORT": "5555"}}, [5555]),
        ({"environment": {"SERVERS": "other:1,rabbit:2000,rabbit:3000"}}, [2000, 3000]),
        ({"environment": {"ZOO": "server.1=rabbit:2888:3888;2181"}}, [2888, 3888]),
        ({"command": ["wait-for-it", "rabbit:5672", "--", "run"]}, [5672]),
        ({"entrypoint": ["sh", "-c", "a\nrabbit:5672"]}, [5672]),
        ({"healthcheck": {"test": "nc -z rabbit 1 && curl rabbit:4369"}}, [4369]),
        ({"post_start": [{"command": ["curl", "rabbit:4369"]}]}, [4369]),
        ({"pre_start": [{"command": ["curl", "rabbit:4369"]}]}, [4369]),
        ({"configs": ["conf"]}, [8000]),
        ({"environment": {"U": "udp://rabbit:514"}}, [514]),
        # No ports: an image, a user with a number as a password, part of another name, the one that is there.
        ({"environment": {"A": "library/rabbit:3", "B": "rabbit:3-alpine", "RABBIT_IMAGE": "rabbit:3"}}, []),
        ({"environment": {"A": "amqp://rabbit:1234@other:1", "B": "amqp://rabbit@other"}}, []),
        ({"environment": {"A": "my-rabbit:1 rabbit-2:1 rabbit.example.com:1 x.rabbit:1"}}, []),
        ({"environment": {"A": "rabbit:0 rabbit:99999 rabbit:15672"}}, []),
        (
            {"environment": {"A": "http://rabbit:81 x@rabbit:82 h://a:1,rabbit:83 //rabbit:84"}},
            [81, 82, 83, 84],
        ),
        ({"environment": {"HOSTS": "local:rabbit:6379:1"}}, [6379]),
        ({"environment": {"A": "rabbit:12:30 rabbit:27 rabbit:05555 2001:db8::rabbit:8080"}}, []),
        ({"environment": {"BASIC_AUTH": "rabbit:1234", "USERS": "rabbit:1234", "A_PASS": "rabbit:1234"}}, []),
        ({"environment": {"USER_URL": "http://rabbit:8081", "AUTH_ADDR": "rabbit:8082"}}, [8081, 8082]),
        ({"environment": {"IMAGE_URL": "http://rabbit:9000", "IMAGE_PROXY": "rabbit:9001"}}, [9000, 9001]),
        ({"environment": {"LOGO_IMAGE": "http://rabbit:9000/a.png", "A_IMAGE_NAME": "rabbit:2024"}}, [9000]),
        ({"command": ["curl", "-u", "rabbit:1234"]}, []),
        ({"command": ["sh", "-c", "chown -R rabbit:1000 /a; curl --user 'rabbit:1234' a"]}, []),
        ({"command": ["run", "--docker-image", "rabbit:2027", "--image=rabbit:2028"]}, []),
        ({"command": ["run", "--broker", "rabbit:2027"]}, [2027]),
    ],
)
def test_a_port_that_others_ask_for_is_the_services(asker: Raw, added: list[int]) -> None:
    found = convert(
        {"rabbit": {"ports": ["15672:15672"]}, "worker": asker},
        configs={"conf": {"content": "upstream {\n\tserver rabbit:8000;\n}"}},
    )
    assert ports(found, "rabbit") == [15672, *added]
    assert render(found.objects) == ""
    numbers = [15672, *added]
    listed = f"ports {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}" if added else "port 15672"
    assert (
        checks(found)["services.rabbit"]
        .replace("/UDP", "")
        .startswith(f"other containers reach it by its name at {listed} only, and in Docker at each port: ")
    )


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"STATSD_HOST": "statsd", "STATSD_PORT": "8125"}, [(8125, "UDP")]),
        ({"A": "statsd:8125", "B": "statsd://statsd:8125"}, [(8125, "UDP")]),
        ({"A": "tcp://statsd:8125", "B": "statsd:8125"}, [(8125, "UDP"), (8125, "TCP")]),
        ({"A": "udp://statsd:9125", "B": "statsd:9125"}, [(8125, "UDP"), (9125, "UDP")]),
        ({"HOST": "statsd", "PORT": "3000"}, [(8125, "UDP")]),
        ({"STATSDHOST": "statsd", "STATSDPORT": "3000"}, [(8125, "UDP"), (3000, "TCP")]),
    ],
)
def test_who_says_no_protocol_means_the_one_that_is_there(variables: Raw, expected: list[Any]) -> None:
    found = convert({"statsd": {"expose": ["8125/udp"]}, "a": {"environment": variables}})
    container = workload(found, "statsd")["spec"]["template"]["spec"]["containers"][0]
    listed = [(port["containerPort"], port.get("protocol", "TCP")) for port in container["ports"]]
    assert listed == expected
    assert render(found.objects) == ""


def test_a_part_of_an_address_is_no_name() -> None:
    for text in ("2001:db:1234::1", "02:42:ac:11:db:1234"):
        found = convert({"db": {"expose": ["1"]}, "a": {"environment": {"A": text}}})
        assert ports(found, "db") == [1]
    found = convert({"db": {"expose": ["1"]}, "a": {"environment": {"A": "local:db:1234 -L 5432:db:5432"}}})
    assert ports(found, "db") == [1, 1234, 5432]


def test_a_port_that_a_service_tells_of_itself_is_its_services() -> None:
    listeners = "PLAINTEXT://broker:29092,OUTSIDE://localhost:9092"
    environment = {"KAFKA_ADVERTISED_LISTENERS": listeners, "URL": "http://broker"}
    broker = {"ports": ["9092:9092"], "environment": environment}
    assert ports(convert({"broker": broker, "other": {}}), "broker") == [9092, 29092]


def test_all_names_of_a_service_have_the_port() -> None:
    found = convert(
        {
            "my_db": {
                "ports": ["8080:80"],
                "networks": {"default": {"aliases": ["alias"]}},
                "container_name": "container",
            },
            "a": {
                "environment": {"A": "//alias:1", "B": "//container:2", "C": "//my_db:3", "D": "//my-db:4"}
            },
        }
    )
    assert ports(found, "my-db") == [80, 1, 2, 3, 4]
    listed = workload(found, "my-db")["spec"]["service"]["ports"]
    assert [(port["port"], port.get("targetPort")) for port in listed] == [
        (80, None),
        (8080, 80),
        *((number, None) for number in range(1, 5)),
    ]
    for name in ("alias", "container"):
        assert [port["port"] for port in service(found, name)["spec"]["ports"]] == [80, 1, 2, 3, 4]


def test_the_containers_own_port_comes_before_one_of_the_host() -> None:
    kafka = {"ports": ["9092:9093"]}
    found = convert({"kafka": kafka, "a": {"environment": {"K": "kafka:9092"}}})
    assert workload(found, "kafka")["spec"]["service"]["ports"] == [{"port": 9093}, {"port": 9092}]
    (why,) = [one.why for one in found.left if one.path == "services.kafka.ports"]
    assert why == (
        "other services ask for kafka:9092, which is the container's own port in Docker, and so in the "
        "Service: the host's port 9092, which led to the container's port 9093, isn't in it"
    )
    own = convert({"kafka": {**kafka, "environment": {"OUTSIDE": "http://kafka:9092"}}, "a": {}})
    assert workload(own, "kafka")["spec"]["service"]["ports"] == [
        {"port": 9093},
        {"port": 9092, "targetPort": 9093},
    ]


def test_a_port_that_is_called_as_another_one_would_be_leaves_each_its_own_name() -> None:
    web = {"ports": [{"target": 9090, "published": 9091, "name": "tcp-8080"}]}
    found = convert({"web": web, "a": {"environment": {"URL": "http://web:8080"}}})
    (made,) = [obj for obj in rendered([workload(found, "web")]) if obj["kind"] == "Service"]
    names = {port["port"]: port["name"] for port in made["spec"]["ports"]}
    assert names == {9090: "tcp-8080", 9091: "tcp-9091", 8080: "tcp-8080-2"}


def test_a_published_port_stays_if_a_url_only_implies_its_number() -> None:
    web: Raw = {"ports": ["80:8080"], "environment": {"SELF": "web:80"}}
    found = convert({"web": web, "api": {"environment": {"CORS_ORIGIN": "http://web"}}})
    published = [{"port": 8080}, {"port": 80, "targetPort": 8080}]
    assert workload(found, "web")["spec"]["service"]["ports"] == published
    assert "services.web.ports" not in [one.path for one in found.left]
    explicit = convert({"web": web, "api": {"environment": {"URL": "http://web:80"}}})
    assert workload(explicit, "web")["spec"]["service"]["ports"] == [{"port": 8080}, {"port": 80}]


def test_the_ports_are_told_once_for_a_service_that_others_may_reach() -> None:
    alone = {"db": {"ports": ["1:1", "2:2"]}}
    beside: Raw = {"headless": {}, "host": {"network_mode": "host", "expose": ["1"]}}
    dnsrr = {"rr": {"ports": ["1:1"], "deploy": {"endpoint_mode": "dnsrr"}}}
    assert checks(convert(alone)).get("services.db") is None
    told = checks(convert({**alone, **beside, **dnsrr}))
    assert [path for path in told if path.count(".") == 1] == ["services.db"]
    many = checks(convert({"db": {"expose": ["1-20"]}, **beside}))["services.db"]
    assert "at ports 1, 2, 3, 4, 5, 6, 7 and others only" in many


def test_a_container_of_docker_run_in_a_network_tells_its_ports() -> None:
    found = dockerrun.convert(shlex.split("docker run --network shop -p 15672:15672 rabbitmq"))
    assert checks(found)["--network shop"].startswith(
        "other containers reach it by its name at port 15672 only"
    )
    assert "--network shop" not in checks(
        dockerrun.convert(shlex.split("docker run --network shop rabbitmq"))
    )
    assert "add it to --expose" in checks(found)["--network shop"]


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "a:" * 60_000, "/a" * 60_000, "a:1" * 40_000, "h://" * 30_000]
)
def test_a_hostile_text_is_searched_at_once(text: str) -> None:
    before = time.monotonic()
    convert({"a": {"expose": ["1"]}, "b": {"environment": {"A": text}}})
    assert time.monotonic() - before < 5


def open_ports(found: Conversion, name: str) -> list[tuple[int, str]]:
    """The ports at which a NetworkPolicy lets everybody in."""
    (policy,) = (
        obj for obj in found.objects if (obj["kind"], obj["metadata"]["name"]) == ("NetworkPolicy", name)
    )
    rules = [rule for rule in policy["spec"]["ingress"] if "from" not in rule]
    return [(port["port"], port["protocol"]) for rule in rules for port in rule["ports"]]


@pytest.mark.parametrize(
    ("keys", "opened"),
    [
        ({"expose": ["5432"]}, []),
        ({"ports": ["127.0.0.1:5432:5432", "[::1]:81:81"]}, []),
        ({"ports": ["127.0.1.1:5432:5432", "[0:0::1]:81:81", "[::ffff:127.0.0.1]:82:82"]}, []),
        ({"ports": ["127.0.0.1:5432:5432", "8080:80", "80"], "expose": ["90"]}, [(80, "TCP")]),
        (
            {"ports": ["10.0.0.1:80:80", "53:53/udp", "0.0.0.0:90-91:90-91"]},
            [(80, "TCP"), (53, "UDP"), (90, "TCP"), (91, "TCP")],
        ),
        ({"ports": ["80:80"], "expose": ["5432"]}, [(80, "TCP")]),
    ],
)
def test_others_are_let_in_at_published_ports_alone(keys: Raw, opened: list[tuple[int, str]]) -> None:
    found = convert(
        {
            "front": {"networks": ["front"], "environment": {"A": "db:1234"}},
            "db": {"networks": ["back"], **keys},
            "api": {"networks": ["front", "back"], "environment": {"A": "db:1234"}},
        },
        networks={"front": None, "back": None},
    )
    assert open_ports(found, "db") == opened


CHECK: Raw = {"healthcheck": {"test": "check"}}


@pytest.mark.parametrize(
    ("services", "is_reached"),
    [
        # A replica set of one member, which its check begins.
        ({"db": {"healthcheck": {"test": "mongosh --eval \"rs.initiate({host:'db:27017'})\""}}}, True),
        ({"db": {"healthcheck": {"test": ["CMD", "mysqladmin", "ping", "-h", "db"]}}}, True),
        # Members of a cluster.
        ({"db": {**CHECK, "environment": {"A": "db=http://db:2380,e2=http://e2:2380"}}, "e2": CHECK}, True),
        ({"db": CHECK, "a": {"environment": {"DB_HOST": "db"}}}, True),
        ({"db": CHECK, "a": {"depends_on": {"db": {"condition": "service_healthy"}}}}, True),
        ({"db": CHECK, "a": {"links": ["db"]}}, True),
        ({"db": {**CHECK, "container_name": "box"}, "a": {"command": ["ping", "box"]}}, True),
        ({"db": CHECK, "a": {"environment": {"A": "dbase"}}}, False),
        ({"db": CHECK}, False),
        ({"db": {}, "a": {"environment": {"DB_HOST": "db"}}}, False),
        (
            {
                "db": {**CHECK, "deploy": {"update_config": {"order": "start-first"}}},
                "a": {"environment": {"DB_HOST": "db"}},
            },
            False,
        ),
    ],
)
@pytest.mark.parametrize("keys", [{}, {"ports": ["8080:80"]}])
def test_a_name_that_is_used_leads_to_what_is_not_ready(services: Raw, is_reached: bool, keys: Raw) -> None:  # noqa: FBT001
    networks = {"default": {"aliases": ["alias"]}}
    found = convert({**services, "db": {**services["db"], **keys, "networks": networks}})
    own = workload(found, "db")["spec"].get("service", {})
    names = {"alias"} if keys or len(services) == 1 else {"alias", "db"}
    published = {name: "publishNotReadyAddresses" in service(found, name)["spec"] for name in names}
    assert published == dict.fromkeys(names, is_reached)
    assert own.get("publishNotReadyAddresses", False) is (is_reached and bool(keys))
    assert render(found.objects) == ""


@pytest.mark.parametrize(
    ("line", "is_reached"),
    [
        ("--network shop --name db -p 80:80 --health-cmd true", True),
        ("--network-alias other -p 80:80 --health-cmd true", True),
        ("--name db -p 80:80 --health-cmd 'nc db 80'", True),
        ("--name db -p 80:80 --health-cmd true", False),
        ("--network shop --name db -p 80:80", False),
        ("--network host --name db --expose 80 --health-cmd 'nc db 80'", False),
    ],
)
def test_a_name_of_docker_run_leads_to_what_is_not_ready(line: str, is_reached: bool) -> None:  # noqa: FBT001
    found = dockerrun.convert([*shlex.split(line), "image"])
    own = found.objects[-1]["spec"].get("service", {})
    assert own.get("publishNotReadyAddresses", False) is is_reached


def test_published_ports_are_told_once_and_are_no_loss() -> None:
    found = convert(
        {
            "a": {"ports": ["80:80", "8443:443", "8080"]},
            "b": {"ports": ["5000-5001:6000-6001/udp"]},
            "c": {"ports": ["7000-7010:7000"], "expose": ["1"]},
            "d": {"expose": ["1"]},
            "e": {"network_mode": "host"},
        }
    )
    assert checks(found)["services.*.ports"] == (
        "published ports are for the cluster only (Services a, b and c): to reach one from outside, set "
        "spec.service.type to LoadBalancer or NodePort, or lead an Ingress to the Service"
    )
    assert [one.path for one in found.left if "outside" in one.why] == ["services.*.ports"]
    assert not found.loses
    assert "services.*.ports" not in checks(convert({"d": {"expose": ["1"], "ports": ["127.0.0.1:1:1"]}}))


def test_a_port_of_docker_run_is_no_loss_unless_something_of_it_is() -> None:
    assert not dockerrun.convert(shlex.split("docker run -p 8080:80 -p 443 nginx")).loses
    assert dockerrun.convert(shlex.split("docker run -p 10.0.0.1:8080:80 nginx")).loses
    assert dockerrun.convert(shlex.split("docker run -p 8080:80 -p 80:8080 nginx")).loses


def sysctls(found: Conversion) -> dict[str, str]:
    pod = found.objects[-1]["spec"]["template"]["spec"]
    return {one["name"]: one["value"] for one in pod.get("securityContext", {}).get("sysctls", [])}


START = "net.ipv4.ip_unprivileged_port_start"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("--user 1000 -p 8080:80", "0"),
        ("--user 1000:0 --expose 443", "0"),
        ("--user www-data -p 80:80", "0"),
        ("--user 1000 --cap-add NET_BIND_SERVICE -p 80:80", "0"),
        ("--user 1000 --privileged -p 80:80", "0"),
        ("--cap-drop ALL -p 80:80", "0"),
        ("--cap-drop net_bind_service --cap-add ALL -p 80:80", "0"),
        ("--user 1000 --sysctl net.core.somaxconn=1024 -p 80:80", "0"),
        ("--user 1000 --sysctl net.ipv4.ip_unprivileged_port_start=80 -p 80:80", "80"),
        ("--cap-drop ALL --cap-add NET_BIND_SERVICE -p 80:80", None),
        ("--cap-drop ALL --privileged -p 80:80", None),
        ("--cap-drop CHOWN -p 80:80", None),
        ("--user root -p 80:80", None),
        ("--user 0:1000 -p 80:80", None),
        ("-p 80:80", None),
        ("--user 1000 -p 80:8080 --expose 1024", None),
        ("--user 1000 --network host --expose 80", None),
    ],
)
def test_who_is_not_root_may_listen_at_low_ports(line: str, value: str | None) -> None:
    found = dockerrun.convert([*shlex.split(line), "image"])
    assert sysctls(found).get(START) == value
    assert render(found.objects) == ""


def test_a_low_port_that_others_ask_for_may_be_listened_at() -> None:
    found = convert(
        {
            "b": {"environment": {"URL": "http://a", "DNS": "udp://a:53"}},
            "a": {"user": "1000", "ports": ["8080:8080"]},
        }
    )
    assert ports(found, "a") == [8080, 53, 80]
    assert sysctls(found) == {START: "0"}


@pytest.mark.parametrize(
    ("network", "aliases"),
    [
        ("name=shop,alias=db", ["db"]),
        ("alias=db,Name=shop,ALIAS=cache,alias=db", ["db", "cache"]),
        ("shop:alias=db,ip=10.0.0.5", ["db"]),
        ("name=shop", []),
        ("shop", []),
    ],
)
def test_an_alias_in_the_long_form_of_a_network_is_a_service(network: str, aliases: list[str]) -> None:
    found = dockerrun.convert(["--network", network, "image"])
    assert [obj["metadata"]["name"] for obj in found.objects if obj["kind"] == "Service"] == aliases
    assert any("Docker separates networks" in one.why for one in found.left)


@pytest.mark.parametrize("key", ["ip", "ip6", "link-local-ip", "mac-address", "driver-opt", "gw-priority"])
def test_what_a_pod_has_not_of_the_long_form_is_named(key: str) -> None:
    found = dockerrun.convert(["--network", f"name=host,{key}=1", "image"])
    assert [one.path for one in found.left] == [f"--network name=host,{key}=1: {key}"]
    assert found.objects[-1]["spec"]["template"]["spec"]["hostNetwork"] is True
