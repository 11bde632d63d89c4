"""A web server as most people have it: a ConfigMap, a readiness probe, much in its environment."""

from __future__ import annotations

from tests.guest.scenario import REGISTRY, config_map, container, secret

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
EXPANDED = {
    "GREETING": ("hello", "hello"),
    "DERIVED": ("$(GREETING)/$(EQUALS)", "hello/a=b=c"),
    "ESCAPED": ("$$(GREETING)", "$(GREETING)"),
    "UNKNOWN": ("$(NOBODY)", "$(NOBODY)"),
    "LATER": ("$(DEFINED_LATER)", "$(DEFINED_LATER)"),
    "DEFINED_LATER": ("late", "late"),
    "TWICE": ("$$$(GREETING)", "$hello"),
}
NUMBERED = {f"NUMBERED_{number:03d}": f"value {number}" for number in range(181)}
LITERAL = {**AWKWARD, **{name: said for name, (said, _) in EXPANDED.items()}, **NUMBERED}

SETTINGS = config_map(
    "settings",
    {
        "mode": "fast",
        "app.conf": "listen 8080\n$(GREETING)\n",
        "index.html": "<h1>one</h1>\n",
        "tricky": "$(GREETING) $$(GREETING) $",
    },
    blob="AAECAwT/",
)
CREDENTIALS = secret("credentials", {"PASSWORD": "from secret", "TOKEN": "t0k$(GREETING)en"})
TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "subdomain": "inner",
        "hostAliases": [{"ip": "10.9.8.7", "hostnames": ["alias.example", "alias"]}],
        "dnsConfig": {"options": [{"name": "timeout", "value": "3"}], "searches": ["more.example"]},
        "containers": [
            container(
                "web",
                *("plain", "with space", "quote\"d'arg", "$(GREETING)-x", "$$(GREETING)", "$(NOBODY)"),
                *("ünïcødé", "", "line\nbreak"),
                port=8080,
                workingDir="/srv",
                env=[{"name": name, "value": value} for name, value in LITERAL.items()],
                readinessProbe={
                    "httpGet": {
                        "path": "/health?of=web",
                        "port": 8080,
                        "httpHeaders": [{"name": "X-Probe", "value": "yes, it is"}],
                    },
                    "periodSeconds": 2,
                    "timeoutSeconds": 5,
                    "failureThreshold": 2,
                },
                volumeMounts=[
                    {"name": "settings", "mountPath": "/etc/app", "readOnly": True},
                    {"name": "pages", "mountPath": "/srv/www"},
                    {"name": "pages", "mountPath": "/srv/fixed.html", "subPath": "index.html"},
                ],
            ),
            container(
                "from",
                "--stay",
                port=8081,
                image=f"{REGISTRY}/entrypoint-and-command:1",
                envFrom=[
                    {"configMapRef": {"name": "settings"}, "prefix": "CFG_"},
                    {"secretRef": {"name": "credentials"}},
                    {"configMapRef": {"name": "absent", "optional": True}},
                ],
                env=[
                    {"name": "PASSWORD", "value": "from env"},
                    {
                        "name": "MODE",
                        "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}},
                    },
                    {
                        "name": "TRICKY",
                        "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "tricky"}},
                    },
                    {
                        "name": "TOKEN",
                        "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "TOKEN"}},
                    },
                    {
                        "name": "ABSENT",
                        "valueFrom": {
                            "configMapKeyRef": {"name": "settings", "key": "none", "optional": True}
                        },
                    },
                    {"name": "USES", "value": "$(MODE) $(TOKEN) $(CFG_mode)"},
                ],
            ),
        ],
        "volumes": [
            {
                "name": "settings",
                "configMap": {
                    "name": "settings",
                    "defaultMode": 0o440,
                    "items": [
                        {"key": "app.conf", "path": "conf.d/app.conf"},
                        {"key": "mode", "path": "mode", "mode": 0o600},
                        {"key": "blob", "path": "blob"},
                    ],
                },
            },
            {"name": "pages", "configMap": {"name": "settings"}},
        ],
    },
}
