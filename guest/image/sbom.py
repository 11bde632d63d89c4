"""What the image is made of, as SPDX 2.3: https://spdx.github.io/spdx-spec/v2.3/"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from guest.image.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from guest.image.lock import Package


_GO_VERSION = re.compile(r"\A.*: (go[0-9.]+)")


@dataclass(frozen=True, order=True)
class Module:
    """A Go module in a program; `sum` is go.sum's hash."""

    path: str
    version: str
    sum: str


def modules(program: Path, go: str) -> list[Module]:
    """The modules that a Go program was built of, from the program itself."""
    report = subprocess.run([go, "version", "-m", program], capture_output=True, text=True, check=False)
    if report.returncode:
        raise ImageError(f"go version -m {program} failed: {report.stderr}")
    return parse(report.stdout)


def parse(report: str) -> list[Module]:
    """The modules in what `go version -m` says; of one that is replaced, its replacement. First, Go's own."""
    listed = [Module("stdlib", version.replace("go", "v"), "") for version in _GO_VERSION.findall(report)]
    for line in report.splitlines():
        words = line.split("\t")[1:]
        if words[:1] == ["=>"]:
            listed.pop()
        if words[:1] in (["dep"], ["=>"]):
            listed.append(Module(words[1], words[2], words[3] if len(words) > 3 else ""))  # noqa: PLR2004
    return sorted(set(listed))


def document(
    version: str, packages: Iterable[Package], programs: Mapping[str, tuple[str, list[Module]]], when: int
) -> dict[str, Any]:
    """`programs` has each Go program's version and modules, by name."""
    image = _package("Image", "twinhull-guest", version)
    parts = [_debian(package) for package in packages]
    relationships = [_related("SPDXRef-DOCUMENT", "DESCRIBES", image)]
    relationships += [_related(image["SPDXID"], "CONTAINS", part) for part in parts]
    known: dict[Module, dict[str, Any]] = {}
    for name, (release, parents) in sorted(programs.items()):
        program = _package("Program", name, release)
        parts.append(program)
        relationships.append(_related(image["SPDXID"], "CONTAINS", program))
        for module in parents:
            known.setdefault(module, _go(module))
            relationships.append(_related(program["SPDXID"], "STATIC_LINK", known[module]))
    return {
        "SPDXID": "SPDXRef-DOCUMENT",
        "creationInfo": {
            "created": datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: twinhull-guest-image"],
        },
        "dataLicense": "CC0-1.0",
        "documentNamespace": f"https://twinhull.dev/spdx/guest/{version}",
        "name": f"twinhull-guest {version}",
        "packages": [image, *parts, *(known[module] for module in sorted(known))],
        "relationships": relationships,
        "spdxVersion": "SPDX-2.3",
    }


def _debian(package: Package) -> dict[str, Any]:
    purl = f"pkg:deb/debian/{package.name}@{quote(package.version)}?arch={package.architecture}&distro=trixie"
    return _package("Debian", package.name, package.version, purl) | {
        "checksums": [{"algorithm": "SHA256", "checksumValue": package.sha256}],
        "supplier": "Organization: Debian",
    }


def _go(module: Module) -> dict[str, Any]:
    purl = f"pkg:golang/{module.path}@{quote(module.version)}"
    return _package("Go", f"{module.path}", module.version, purl) | (
        {"comment": f"go.sum {module.sum}"} if module.sum else {}
    )


def _package(kind: str, name: str, version: str, purl: str = "") -> dict[str, Any]:
    identifier = re.sub(r"[^A-Za-z0-9.]+", "-", f"{kind}-{name}-{version}")
    return {
        "SPDXID": f"SPDXRef-{identifier}",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "name": name,
        "versionInfo": version,
    } | (
        {
            "externalRefs": [
                {"referenceCategory": "PACKAGE-MANAGER", "referenceLocator": purl, "referenceType": "purl"}
            ]
        }
        if purl
        else {}
    )


def _related(element: str, kind: str, other: dict[str, Any]) -> dict[str, str]:
    return {"relatedSpdxElement": other["SPDXID"], "relationshipType": kind, "spdxElementId": element}
