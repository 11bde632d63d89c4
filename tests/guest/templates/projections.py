"""Volumes that show a Pod to itself, and several sources in one; with variables.SETTINGS and CREDENTIALS."""

from __future__ import annotations

from typing import Any

Raw = dict[str, Any]


def metadata(app: str) -> Raw:
    """A template's metadata, with values that are awkward in a file."""
    return {
        "labels": {"example.com/tier": "front", "app": app},
        "annotations": {"note": "costs $(A) lot", "lines": 'one\ntwo "quoted"'},
    }


def of_pod(name: str, resource: str, divisor: str = "0") -> Raw:
    """A volume of fields of the Pod, and of a resource of its container `main`."""
    amount = {"containerName": "main", "resource": resource, "divisor": divisor}
    return {
        "name": name,
        "downwardAPI": {
            "items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}},
                {"path": "names/pod", "fieldRef": {"fieldPath": "metadata.name"}, "mode": 0o600},
                {"path": "amount", "resourceFieldRef": amount},
            ]
        },
    }


def of_all_sources(name: str) -> Raw:
    """A projected volume of every kind of source."""
    return {
        "name": name,
        "projected": {
            "defaultMode": 0o444,
            "sources": [
                {"configMap": {"name": "settings", "items": [{"key": "mode", "path": "config/mode"}]}},
                {
                    "secret": {
                        "name": "credentials",
                        "items": [{"key": "TOKEN", "path": "secret/token", "mode": 0o400}],
                    }
                },
                {"configMap": {"name": "absent", "optional": True}},
                {
                    "downwardAPI": {
                        "items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]
                    }
                },
                {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
            ],
        },
    }
