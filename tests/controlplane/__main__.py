"""python -m tests.controlplane up|down|status: the control plane that stays, in .cluster of this checkout."""

from __future__ import annotations

import fcntl
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.controlplane import process
from tests.controlplane.controlplane import STAYS, ControlPlane
from tests.controlplane.polling import NeverHappened
from tests.controlplane.process import ComponentDied
from tests.controlplane.state import State
from tools.gobuild import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.group(help=__doc__)
@click.option("--folder", type=click.Path(path_type=Path), default=STAYS, help="Another than .cluster.")
@click.pass_context
def main(context: click.Context, folder: Path) -> None:
    context.obj = folder.absolute()


@main.command()
@click.option("--kubevirt/--no-kubevirt", default=True, help="With KubeVirt and CDI's kinds, or without.")
@click.option("--nodes", default=1, show_default=True, help="How many simulated nodes.")
@click.pass_obj
def up(folder: Path, *, kubevirt: bool, nodes: int) -> None:
    """Start it, unless it runs."""
    with _alone(folder):
        state = State.load(folder)
        if state is not None and state.ready:
            process.check(state.processes)
            click.echo("It runs already.")
        else:
            _remove(folder, state)
            plane = ControlPlane.start(folder, kubevirt=kubevirt, nodes=nodes, tied=False)
            state = State(plane.processes, plane.kubectl.program, ready=True)
        click.echo(_how_to_use(folder, state))


@main.command()
@click.pass_obj
def down(folder: Path) -> None:
    """Stop it and remove what it left."""
    with _alone(folder):
        state = State.load(folder)
        if state is None:
            click.echo("There is none.")
            return
        _remove(folder, state)
        click.echo("Stopped.")


@main.command()
@click.pass_obj
def status(folder: Path) -> None:
    """Say what runs; fails when a part of it has died."""
    state = State.load(folder)
    if state is None or not state.processes:
        raise click.ClickException("there is none: start it with `make cluster`")
    for one in state.processes:
        click.echo(f"{'runs' if one.alive() else 'DEAD'}  {one.pid:>8}  {one.name}")
    process.check(state.processes)
    click.echo(_how_to_use(folder, state))


def _how_to_use(folder: Path, state: State) -> str:
    return (
        f"  export KUBECONFIG='{folder / 'kubeconfig'}'\n"
        f"  kubectl:  {state.kubectl}\n"
        f"  logs:     {folder / 'logs'}\n"
        f"  stop it:  make cluster-down"
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds off another `up` or `down` of this checkout."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove(folder: Path, state: State | None) -> None:
    """Stops what runs and empties the folder, but for the lock; refuses to empty one that isn't ours."""
    content = [path for path in folder.iterdir() if path.name != "lock"]
    if state is None and content:
        raise click.ClickException(f"{folder} isn't empty, and holds no control plane")
    if state is not None:
        process.stop(state.processes)
    for path in content:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        sys.exit(f"error: {error.format_message()}")
    except ComponentDied as error:
        sys.exit(f"error: {error}\nStart over: make cluster-down cluster")
    except (BuildError, NeverHappened) as error:
        sys.exit(f"error: {error}")
    except click.Abort:
        sys.exit("interrupted")
