"""What a container's command line and environment are made of."""

from __future__ import annotations

from typing import Any

from tests.guest.scenario import REGISTRY, config_map, container, secret

Raw = dict[str, Any]

ARGUMENTS = (
    *("plain", "with space", "quote\"d'arg", "$(GREETING)-x", "$$(GREETING)", "$(NOBODY)"),
    *("ünïcødé", "", "line\nbreak"),
)
AWKWARD = {
    "QUOTES": """both "double" and 'single' and `back`""",
    "LINES": "first\nsecond\n\nfourth\n",
    "TABBED": "\tin\t",
    "SPACES": "  around  ",
    "UNICODE": "héllo wörld — 你好 🚀",
    "EMPTY": "",
    "EQUALS": "a=b=c",
    "DOLLARS": "$HOME ${HOME} $1 $",
    "BACKSLASH": r"C:\new\table",
    "JSON": '{"key": ["value", null]}',
    "SHELL": "; rm -rf / && echo $(whoami) #",
    "WHOLE_LINE": "x" * 4000,
}
#: What is said, and what a process gets.
EXPANDED = {
    "GREETING": ("hello", "hello"),
    "DERIVED": ("$(GREETING)/$(EQUALS)", "hello/a=b=c"),
    "ESCAPED": ("$$(GREETING)", "$(GREETING)"),
    "UNKNOWN": ("$(NOBODY)", "$(NOBODY)"),
    "LATER": ("$(DEFINED_LATER)", "$(DEFINED_LATER)"),
    "DEFINED_LATER": ("late", "late"),
    "TWICE": ("$$$(GREETING)", "$hello"),
}
LITERALS = {**AWKWARD, **{name: written for name, (written, _) in EXPANDED.items()}}

SETTINGS = config_map(
    "settings",
    {
        "mode": "fast",
        "app.conf": "listen 8080\n$(GREETING)\n",
        "index.html": "<h1>one</h1>\n",
        "tricky": "$(GREETING) $$(GREETING) $",
        "e": "",
    },
    blob="AAECAwT/",
)
CREDENTIALS = secret(
    "credentials", {"PASSWORD": "from secret", "TOKEN": "t0k$(GREETING)en", "with.dot": "kept"}
)

POD_FIELDS = {
    "NAME": "metadata.name",
    "NAMESPACE": "metadata.namespace",
    "UID": "metadata.uid",
    "LABEL": "metadata.labels['example.com/tier']",
    "ANNOTATION": "metadata.annotations['note']",
    "NODE": "spec.nodeName",
    "ACCOUNT": "spec.serviceAccountName",
    "POD_IP": "status.podIP",
    "POD_IPS": "status.podIPs",
}
#: Resources, and their divisors.
AMOUNTS = {
    "CPU_LIMIT": ("limits.cpu", "0"),
    "CPU_LIMIT_MILLI": ("limits.cpu", "1m"),
    "CPU_REQUEST": ("requests.cpu", "1m"),
    "MEMORY_LIMIT": ("limits.memory", "0"),
    "MEMORY_LIMIT_MI": ("limits.memory", "1Mi"),
    "MEMORY_REQUEST_KI": ("requests.memory", "1Ki"),
    "STORAGE_REQUEST": ("requests.ephemeral-storage", "1Mi"),
}


def field(name: str, path: str) -> Raw:
    """A variable of a field of the Pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def amount(name: str, resource: str, divisor: str) -> Raw:
    """A variable of a resource of the container."""
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}


def key(name: str, kind: str, of: str, at: str, *, optional: bool = False) -> Raw:
    """A variable of a key of an object."""
    reference = {"name": of, "key": at, **({"optional": True} if optional else {})}
    return {"name": name, "valueFrom": {f"{kind}KeyRef": reference}}


def literals(values: dict[str, str]) -> list[Raw]:
    """Variables as they are."""
    return [{"name": name, "value": value} for name, value in values.items()]


def of_pod() -> list[Raw]:
    """All that a container can be told of its Pod and itself, and one that is made of it."""
    return [
        *(field(name, path) for name, path in POD_FIELDS.items()),
        *(amount(name, *of) for name, of in AMOUNTS.items()),
        {"name": "URL", "value": "http://$(POD_IP):8080/$(NAME)"},
    ]


def from_objects(port: int) -> Raw:
    """A container whose variables are from SETTINGS, CREDENTIALS and its image."""
    return container(
        "from",
        "--stay",
        port=port,
        image=f"{REGISTRY}/entrypoint-and-command:1",
        envFrom=[
            {"configMapRef": {"name": "settings"}, "prefix": "CFG_"},
            {"secretRef": {"name": "credentials"}},
            {"configMapRef": {"name": "absent", "optional": True}},
        ],
        env=[
            {"name": "PASSWORD", "value": "from env"},
            key("MODE", "configMap", "settings", "mode"),
            key("TRICKY", "configMap", "settings", "tricky"),
            key("TOKEN", "secret", "credentials", "TOKEN"),
            key("ABSENT", "configMap", "settings", "none", optional=True),
            {"name": "USES", "value": "$(MODE) $(TOKEN) $(CFG_mode)"},
        ],
    )
