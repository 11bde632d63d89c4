"""`make cli`: the file, its archive for krew, krew's manifest and the digests, in dist/cli."""

from __future__ import annotations

import hashlib
import platform as host
import subprocess
import sys

import click

import twinhull
from tools.onefile import krew
from tools.onefile.build import PLATFORMS, ROOT, archive, build
from tools.site_links import REPOSITORY

_FOLDER = ROOT / "dist" / "cli"
_HERE = next((name for name, one in PLATFORMS.items() if one.machine == host.machine()), "linux-amd64")


@click.command(help=__doc__)
@click.option("--platform", type=click.Choice(list(PLATFORMS)), default=_HERE, show_default=True)
@click.option(
    "--url",
    default=f"{REPOSITORY}/releases/download/v{twinhull.__version__}",
    show_default=True,
    help="Below which the archive will be downloaded, for krew's manifest.",
)
def main(platform: str, url: str) -> None:
    """Make it all. Files of other platforms that are there already are in the manifest, too."""
    file = build(PLATFORMS[platform], _FOLDER)
    archive(file)
    archives = sorted(_FOLDER.glob("*.tar.gz"))
    (_FOLDER / f"{krew.NAME}.yaml").write_text(krew.written(krew.manifest(archives, url)), encoding="utf-8")
    files = sorted(path for path in _FOLDER.iterdir() if path.name.startswith("twinhull-"))
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (_FOLDER / "SHA256SUMS").write_text(sums, encoding="utf-8")
    click.echo(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error}")
