"""Makes every derived file anew (`make generate`), or says what would change (`--check`)."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tools import (
    argocd_config,
    image_verification,
    kustomize_configuration,
    kustomize_schema,
    locks,
    manifests,
    manpages,
)
from tools.gobuild import BuildError
from tools.pages import (
    architecture,
    chart,
    cli,
    configuration,
    convertdocker,
    index,
    metrics,
    modules,
    parity,
    reference,
    troubleshooting,
)
from tools.podtemplate.defaulting import stored_samples, templatetypes
from tools.podtemplate.schema import podtemplate
from twinhull.api import crd
from twinhull.api.admission import admission
from twinhull.api.base import Raw
from twinhull.cli.completion import script
from twinhull.hulls.types import machine_isolations

ROOT = Path(__file__).parents[1]

_HEADER = "# Made by `make generate` from {}; changes belong there.\n"
_API, _CHART = "operator/twinhull/api", "charts/twinhull"
_LAYOUT: dict[str, Any] = {
    "default_flow_style": None,
    "sort_keys": False,
    "width": 110,
    "allow_unicode": True,
}


class _Dumper(yaml.SafeDumper):
    """Block style, with what holds nothing but short scalars on one line: `image: {type: string}`. A file in
    a ConfigMap is as it was written.
    """

    def represent_mapping(
        self,
        tag: str,
        mapping: Any,
        flow_style: bool | None = None,  # noqa: FBT001  the signature is PyYAML's
    ) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        values = mapping.values()
        if mapping.keys() & {"description", "message", "expression"} or any(map(_is_file, values)):
            node.flow_style = False
        return node

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the signature is PyYAML's
        return True


def _is_file(value: object) -> bool:
    return isinstance(value, str) and value.endswith("\n")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if _is_file(text) else None)


class _Expression(str):
    """CEL, which is full of quotes and reads best without any around it."""

    __slots__ = ()


def _fold(dumper: yaml.SafeDumper, text: _Expression) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=">")


_Dumper.add_representer(_Expression, _fold)
_Dumper.add_representer(str, _text)


def _legible(value: Any) -> Any:
    """A value whose expressions are marked as such."""
    if isinstance(value, list):
        return [_legible(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _Expression(below) if key in {"expression", "messageExpression"} else _legible(below)
        for key, below in value.items()
    }


def _yaml(*documents: Raw, source: str = _API) -> str:
    text: str = yaml.dump_all(map(_legible, documents), Dumper=_Dumper, **_LAYOUT)
    return _HEADER.format(source) + text


def _deployment(variant: str) -> list[tuple[str, Callable[[], str]]]:
    """A folder of deploy/."""
    parts: dict[str, Callable[[], list[Raw]]] = {
        "kustomization": lambda: [manifests.kustomization(variant)],
        "namespace": lambda: [manifests.namespace()],
        "twinhull": lambda: manifests.rendered(variant)[1],
    }
    return [
        (f"deploy/{variant}/{name}.yaml", lambda made=made: _yaml(*made(), source=_CHART))  # type: ignore[misc]
        for name, made in parts.items()
    ]


def validation_schemas() -> str:
    """The schemas of the CRDs by kind, without descriptions: what `twinhull validate` reads."""
    kinds = {
        definition["spec"]["names"]["kind"]: _undescribed(
            definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        )
        for definition in crd.crds()
    }
    return json.dumps(kinds, separators=(",", ":"), ensure_ascii=False) + "\n"


def _undescribed(schema: Any) -> Any:
    """A schema without descriptions, but with fields of that name."""
    if isinstance(schema, list):
        return [_undescribed(element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _undescribed(field) for name, field in below.items()}
        if key == "properties"
        else _undescribed(below)
        for key, below in schema.items()
        if key != "description"
    }


#: The scripts for shells as these look for them, by the shell.
COMPLETIONS = {"bash": "twinhull", "zsh": "_twinhull", "fish": "twinhull.fish"}

#: Each derived file and what makes its text, in an order in which a later one may read an earlier one.
GENERATORS: list[tuple[str, Callable[[], str]]] = [
    ("operator/twinhull/api/podtemplate.json", podtemplate),
    ("operator/twinhull/api/templatetypes.json", templatetypes),
    ("tests/podtemplate/stored.json", stored_samples),
    ("operator/twinhull/validation/schemas.json", validation_schemas),
    ("crds/accessrequests.twinhull.dev.yaml", lambda: _yaml(crd.access_requests())),
    ("crds/isolationpolicies.twinhull.dev.yaml", lambda: _yaml(crd.isolation_policies())),
    ("crds/workloads.twinhull.dev.yaml", lambda: _yaml(crd.workloads())),
    ("deploy/admission/policy.yaml", lambda: _yaml(*admission(machine_isolations()))),
    *(
        (
            f"deploy/image-verification/{name}.yaml",
            lambda made=made: _yaml(*made(), source="tools/image_verification.py"),
        )
        for name, made in image_verification.TOOLS.items()
    ),
    ("deploy/argocd/argocd-cm.yaml", argocd_config.config_map),
    ("deploy/kustomize/configuration.yaml", kustomize_configuration.configuration),
    ("deploy/kustomize/openapi.json", kustomize_schema.schema),
    ("docs/index.md", index.page),
    ("docs/parity.md", parity.page),
    ("docs/reference.md", reference.page),
    ("docs/configuration.md", configuration.page),
    ("docs/convert-docker.md", convertdocker.page),
    ("docs/cli.md", cli.page),
    *((f"man/{name}", made) for name, made in manpages.pages().items()),
    *((f"completions/{name}", partial(script, shell)) for shell, name in COMPLETIONS.items()),
    ("image/build.lock", locks.build),
    ("image/runtime.lock", locks.runtime),
    ("charts/twinhull/README.md", chart.page),
    ("charts/twinhull/files/crds/accessrequests.yaml", lambda: _yaml(crd.access_requests())),
    ("charts/twinhull/files/crds/isolationpolicies.yaml", lambda: _yaml(crd.isolation_policies())),
    ("charts/twinhull/files/crds/workloads.yaml", lambda: _yaml(crd.workloads())),
    ("charts/twinhull/files/admission.yaml", lambda: _yaml(*admission(machine_isolations()))),
    ("deploy/user-roles/roles.yaml", lambda: _yaml(*manifests.user_roles(), source=_CHART)),
    ("deploy/crds/crds.yaml", lambda: _yaml(*manifests.rendered("default")[0], source=_CHART)),
    *(made for variant in manifests.VARIANTS for made in _deployment(variant)),
    ("docs/metrics.md", metrics.page),
    ("docs/troubleshooting.md", troubleshooting.page),
    ("ARCHITECTURE.md", architecture.page),
    ("docs/contributing/modules.md", modules.page),
]


def main() -> int:
    """Exit code: 1 if a committed file isn't what would be made."""
    check = sys.argv[1:] == ["--check"]
    changed = False
    for name, made in GENERATORS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = made()
        if old == new:
            continue
        changed = True
        if check:
            lines = difflib.unified_diff(old.splitlines(), new.splitlines(), name, "generated", lineterm="")
            print("\n".join(lines))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
            print(f"made {name}")
    return int(check and changed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BuildError as error:
        sys.exit(str(error))
