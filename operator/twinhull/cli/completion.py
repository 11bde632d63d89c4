"""`twinhull completion`: the scripts for shells, and the functions that complete names of a cluster's
objects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from twinhull.cli.lazygroup import COMPLETE_VARIABLE

#: How long a completion waits for a cluster's names, in seconds: somebody has pressed a key.
_WAIT = 1.5
#: What kubectl runs for the words after `kubectl twinhull` (cli/shells).
_KUBECTL = f"""\
#!/bin/sh
# Save it as kubectl_complete-twinhull in a folder of PATH, and make it executable.
export {COMPLETE_VARIABLE}=kubectl_complete
if command -v kubectl-twinhull >/dev/null 2>&1; then exec kubectl-twinhull "$@"; fi
exec twinhull "$@"
"""
_SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Examples:
  source <(twinhull completion bash)                       # in this shell; in ~/.bashrc for all
  twinhull completion bash >~/.local/share/bash-completion/completions/twinhull
  source <(twinhull completion zsh)                        # in ~/.zshrc, after compinit
  twinhull completion fish >~/.config/fish/completions/twinhull.fish
  twinhull completion kubectl >~/.local/bin/kubectl_complete-twinhull
  chmod +x ~/.local/bin/kubectl_complete-twinhull

\b
Exit codes:
  0  the script was printed
  2  an argument is wrong
"""
)
@click.argument("shell", type=click.Choice([*_SHELLS, "kubectl"]))
def completion(shell: str) -> None:
    """Print the script by which a shell completes this command.

    Verbs, options, their values and files are completed. Verbs that ask a cluster complete the names of its
    Workloads and namespaces, and of a Workload's containers and ports, too, if it answers within two seconds.

    With kubectl, it prints the script by which kubectl completes `kubectl twinhull`. An installation by pip
    already has that script.

    bash has to be 4.4 or later.
    """
    click.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """The script for a shell, or for kubectl."""
    if shell == "kubectl":
        return _KUBECTL
    from twinhull.cli import main, shells  # noqa: PLC0415  it lists this verb, and takes time

    classes = {"bash": shells.Bash, "zsh": shells.Zsh, "fish": shells.Fish}
    complete = classes[shell](main, {}, "twinhull", COMPLETE_VARIABLE)
    # Not source(), which starts a bash to see its version.
    return complete.source_template % complete.source_vars()


def workloads(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes names of Workloads in the cluster and namespace that the verb's options name, or else the
    kubeconfig.

    For shell_complete of an option or argument. Completes nothing if the cluster can't be asked.
    """
    return _named("Workload", ctx, incomplete)


def namespaces(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes names of namespaces, as `workloads` does those of Workloads."""
    return _named("Namespace", ctx, incomplete)


def contexts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes names of contexts of the kubeconfig that the verb's option names, or else of the
    environment's.
    """
    return _named("Context", ctx, incomplete)


def _named(kind: str, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    return items(cluster_names(kind, ctx), incomplete)


def items(words: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    """The words that begin with `incomplete`, as click's completion items."""
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def cluster_names(kind: str, ctx: click.Context, *, namespace: str = "", name: str = "") -> list[str]:
    """The names or ports of a kind that cli/clusternames lists, in the cluster that the command line names.
    None if that cluster can't be asked.

    `namespace` replaces the command line's. `name` is the Workload whose containers or ports are listed.
    """
    if ctx.params.get("command"):  # an option after it is the command's own: exec web -- psql -n
        return []
    is_set = ctx.get_parameter_source("namespace") is ParameterSource.COMMANDLINE
    if is_set and ctx.params.get("namespace") is None:  # its value is no valid name: click leaves it out
        return []
    place = [str(ctx.params.get(option) or "") for option in ("namespace", "context", "kubeconfig")]
    place[0] = namespace or place[0]
    return _names(kind, *place, *([name] if name else []))


def arguments(ctx: click.Context) -> list[str]:
    """The arguments before the word that is completed, in their order and without options."""
    values = [ctx.params.get(one.name or "") for one in ctx.command.params if isinstance(one, click.Argument)]
    words = [word for value in values for word in (value if isinstance(value, tuple) else (value,)) if word]
    # While an option lacks its value, click has all words in ctx.args and none in an argument.
    return [*words, *ctx.args]


def _names(*kind_and_place: str) -> list[str]:
    """The lines that cli/clusternames prints in a process of its own. A process that takes too long is
    killed, together with the credential plugin that it may wait for. Its error messages are dropped.
    """
    import os  # noqa: PLC0415  each of these takes time, and is for a cluster only
    import signal  # noqa: PLC0415
    import subprocess  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415

    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from twinhull.cli import clusternames; clusternames.main()"
    )
    try:
        process = subprocess.Popen(  # noqa: S603  this Python
            [sys.executable, "-c", code, *kind_and_place],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
    except OSError:
        return []
    with process:
        try:
            return process.communicate(timeout=_WAIT)[0].splitlines()
        except (subprocess.TimeoutExpired, UnicodeDecodeError):
            return []
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
