"""How shells and kubectl ask for what completes a word, where click's own classes don't read it right.

kubectl runs `kubectl_complete-twinhull` with the words after `kubectl twinhull` (k8s.io/kubectl,
pkg/cmd/plugin/plugin_completion.go). Each line of the answer is a word, which may have a tabulator and a
description after it. The last line has the directive for the shell after a colon (github.com/spf13/cobra,
completions.go, type ShellCompDirective).
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from typing import Any, ClassVar

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from twinhull.cli.lazygroup import COMPLETE_VARIABLE

#: Cobra's directives: the shell completes files, nothing else, or folders.
_FILES, _WORDS_ONLY, _FOLDERS = 0, 4, 16


class Bash(BashComplete):
    """Completion for bash, which takes the = of --option=value for a word (its variable COMP_WORDBREAKS)."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words without such a =, and the incomplete one."""
        words, incomplete = super().get_completion_args()
        told = pairwise(["", *words])
        return [word for last, word in told if word != "=" or not last.startswith("--")], incomplete


class _WithOption(ShellComplete):
    """Completion for shells to which --option=value is one word: it is completed as a whole."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if not equals or not option.startswith("--"):
            return found
        return [
            CompletionItem(f"{option}={item.value}", help=item.help) for item in found if item.type == "plain"
        ]


class Zsh(_WithOption, ZshComplete):
    """Completion for zsh."""


class Fish(_WithOption, FishComplete):
    """Completion for fish."""


class KubectlComplete(ShellComplete):
    """Completion for kubectl. The words are this process's arguments, the last of them the incomplete one."""

    name: ClassVar[str] = "kubectl"

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words, and the incomplete one."""
        *words, incomplete = sys.argv[1:] or [""]
        return words, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """A line of the answer."""
        described = " ".join((item.help or "").split())
        return f"{item.value}\t{described}" if described else str(item.value)

    def complete(self) -> str:
        """The answer."""
        found = self.get_completions(*self.get_completion_args())
        kinds = {item.type for item in found}
        directive = _FILES if "file" in kinds else _FOLDERS if "dir" in kinds else _WORDS_ONLY
        lines = [self.format_completion(item) for item in found if item.type == "plain"]
        return "\n".join([*lines, f":{directive}"])


for _shell in (Bash, Zsh, Fish, KubectlComplete):
    add_completion_class(_shell)


def main() -> None:
    """What `kubectl_complete-twinhull` is."""
    os.environ[COMPLETE_VARIABLE] = "kubectl_complete"
    from twinhull.cli import main as command  # noqa: PLC0415  it reads the variable

    command()
