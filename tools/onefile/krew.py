"""The manifest by which krew installs `kubectl twinhull`, from the facts of a release.

    python -m tools.onefile.krew --url https://downloads.example/v0.1.0 dist/cli/*.tar.gz

Sources: krew.sigs.k8s.io, "Writing Krew plugin manifests" and "Plugin Naming Guide"; what krew itself refuses
is in kubernetes-sigs/krew, internal/index/validation/validate.go. The name of a plugin is in lower case, and
the manifest's file has it, too; the version is semantic and begins with a v.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import yaml

import twinhull
from tools.onefile.build import MINORS, PLATFORMS
from tools.site_links import REPOSITORY

NAME = "twinhull"
_DESCRIPTION = """\
Twinhull runs one Workload as a Pod, a sandboxed Pod or a KubeVirt machine. This plugin shows Workloads, says
what is wrong with them, reaches into them whatever they run in, and moves them from one kind of hull to
another. It also checks manifests without a cluster, and makes Workloads of what others run.
"""
_CAVEATS = f"""\
It needs Python 3.{MINORS[0]} to 3.{MINORS[-1]} on the PATH, and glibc.
To complete its verbs:
  kubectl twinhull completion kubectl >~/.local/bin/kubectl_complete-twinhull
  chmod +x ~/.local/bin/kubectl_complete-twinhull
"""


def manifest(archives: Iterable[Path], url: str, version: str = twinhull.__version__) -> dict[str, Any]:
    """The manifest of a release whose archives can be downloaded below a URL, by the names that they have."""
    by_name = {f"{platform.name}.tar.gz": platform for platform in PLATFORMS.values()}
    platforms = [
        {
            "selector": {"matchLabels": {"os": "linux", "arch": by_name[path.name].arch}},
            "uri": f"{url.rstrip('/')}/{path.name}",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bin": "twinhull",
        }
        for path in sorted(archives, key=lambda path: path.name)
    ]
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": f"v{version}",
            "homepage": REPOSITORY,
            "shortDescription": "Run Workloads as Pods or machines",
            "description": _DESCRIPTION,
            "caveats": _CAVEATS,
            "platforms": platforms,
        },
    }


def written(document: dict[str, Any]) -> str:
    """A manifest as YAML, its texts of several lines as they are."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


@click.command(help=__doc__)
@click.option("--url", required=True, help="Below which the archives can be downloaded.")
@click.argument("archives", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def main(url: str, archives: tuple[Path, ...]) -> None:
    """Print the manifest."""
    click.echo(written(manifest(archives, url)), nl=False)


if __name__ == "__main__":
    main()
