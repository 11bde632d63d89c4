"""A web server as most people have it: a ConfigMap, a readiness probe, much in its environment."""

from __future__ import annotations

from tests.guest.scenario import container
from tests.guest.templates.variables import ARGUMENTS, LITERALS, from_objects, literals

NUMBERED = {f"NUMBERED_{number:03d}": f"value {number}" for number in range(181)}
LITERAL = {**LITERALS, **NUMBERED}

TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "subdomain": "inner",
        "hostAliases": [{"ip": "10.9.8.7", "hostnames": ["alias.example", "alias"]}],
        "dnsConfig": {"options": [{"name": "timeout", "value": "3"}], "searches": ["more.example"]},
        "containers": [
            container(
                "web",
                *ARGUMENTS,
                port=8080,
                workingDir="/srv",
                env=literals(LITERAL),
                readinessProbe={
                    "httpGet": {
                        "path": "/health?of=web",
                        "port": 8080,
                        "httpHeaders": [{"name": "X-Probe", "value": "yes, it is"}],
                    },
                    "periodSeconds": 2,
                    "timeoutSeconds": 60,
                    "failureThreshold": 2,
                },
                volumeMounts=[
                    {"name": "settings", "mountPath": "/etc/app", "readOnly": True},
                    {"name": "pages", "mountPath": "/srv/www"},
                    {"name": "pages", "mountPath": "/srv/fixed.html", "subPath": "index.html"},
                ],
            ),
            from_objects(8081),
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
