"""Completion for shells and kubectl, where click's own classes and scripts aren't enough.

The shell adds no blank after a word that ends in a colon or a slash, since the word goes on: twinhull cp
web:/etc . fish has that rule of its own (fishshell.com/docs/current/completions.html).

kubectl runs `kubectl_complete-twinhull` with the words after `kubectl twinhull` (k8s.io/kubectl,
pkg/cmd/plugin/plugin_completion.go). Each line of the answer is a word, which may have a tabulator and a
description after it. The last line has the directive for the shell after a colon (github.com/spf13/cobra,
completions.go, type ShellCompDirective).
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from twinhull.cli.lazygroup import COMPLETE_VARIABLE

#: Cobra's directives: the shell completes files, adds no blank, completes nothing else, or completes folders.
_FILES, _NO_BLANK, _WORDS_ONLY, _FOLDERS = 0, 2, 4, 16
#: The ends of words that go on.
_BEGUN = (":", "/")
#: Names of files that every shell takes literally without quotes.
_SIMPLE = re.compile(r"\w[-\w.+@]*")

#: bash splits words at colons and equals signs, too (its variable COMP_WORDBREAKS), and replaces only what
#: stands after the last of them. So the program gets the line as it was typed, up to the cursor, and the text
#: that is replaced. bash completes files by itself only if it is given no words: here the script adds them.
_BASH = """\
%(complete_func)s() {
    local response type value files=
    response=$(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_REPLACED="$2" \\
        %(complete_var)s=bash_complete "$1")
    COMPREPLY=()

    while IFS=, read -r type value; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            dir) compopt -o dirnames ;;
            file) files=1 ;;
        esac
    done <<<"$response"

    if [[ -n $files && ${#COMPREPLY[@]} -eq 0 ]]; then
        compopt -o default
    elif [[ -n $files ]]; then
        while IFS= read -r value; do
            if [[ -d $value ]]; then value+=/; fi
            printf -v value %%q "$value"
            if [[ $value != "${COMPREPLY[0]}" ]]; then COMPREPLY+=("$value"); fi
        done < <(compgen -f -- "$2")
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:/] ]]; then compopt -o nospace; fi
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a response whole begun described
    local type value help
    (( $+commands[%(prog_name)s] )) || return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s)}")

    for type value help in "${(@)response}"; do
        case $type in
            plain)
                if [[ $help != _ ]]; then
                    described+=("$value:$help")
                elif [[ $value == *[:/] ]]; then
                    begun+=("$value")
                else
                    whole+=("$value")
                fi
                ;;
            dir) _path_files -/ ;;
            file) _path_files -f ;;
        esac
    done

    if (( $#described )); then _describe -V unsorted described -U; fi
    if (( $#whole )); then compadd -U -V unsorted -a whole; fi
    if (( $#begun )); then compadd -U -S "" -V unsorted -a begun; fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    # zsh has loaded this file as the function, which now has to be called.
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


def _with_option(items: list[CompletionItem[str]], incomplete: str) -> list[CompletionItem[str]]:
    """The completions of a word. If the word is --option=value, each begins with that option."""
    option, equals, _ = incomplete.partition("=")
    if not equals or not option.startswith("--"):
        return items
    return [
        CompletionItem(f"{option}={item.value}", help=item.help) if item.type == "plain" else item
        for item in items
    ]


class Bash(BashComplete):
    """Completion for bash."""

    source_template: ClassVar[str] = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words, and the incomplete one."""
        # The last word ends in an x then, even if it is empty yet or its quotes are open.
        _, *words, incomplete = split_arg_string(f"{os.environ['COMP_LINE']}x")
        return words, incomplete[:-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """The texts with which bash replaces the end of the word."""
        items = _with_option(super().get_completions(args, incomplete), incomplete)
        replaced = os.environ["COMP_REPLACED"]
        # bash-completion's functions for sudo and such take the character itself for the word.
        if replaced in {":", "="}:
            replaced = ""
        # A quoted word is replaced as a whole.
        kept = incomplete.removesuffix(replaced) if incomplete.endswith(replaced) else ""
        return [
            CompletionItem(item.value.removeprefix(kept), help=item.help) if item.type == "plain" else item
            for item in items
        ]


class _WithOption(ShellComplete):
    """Completion for shells that take --option=value as one word."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        whole = _with_option(items, incomplete)
        return whole if whole is items else [item for item in whole if item.type == "plain"]


class Zsh(_WithOption, ZshComplete):
    """Completion for zsh."""

    source_template: ClassVar[str] = _ZSH


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
        words, incomplete = self.get_completion_args()
        items = self.get_completions(words, incomplete)
        kinds = {item.type for item in items}
        listed = [item for item in items if item.type == "plain"]
        lines = [self.format_completion(item) for item in listed]
        if not listed:
            directive = _FILES if "file" in kinds else _FOLDERS if "dir" in kinds else _WORDS_ONLY
        else:
            if "file" in kinds:  # kubectl's scripts complete files only if they are given no words
                lines += [file for file in _files(incomplete) if file not in lines]
            goes_on = any(item.value.endswith(_BEGUN) for item in listed)
            directive = _WORDS_ONLY + (_NO_BLANK if goes_on else 0)
        return "\n".join([*lines, f":{directive}"])


def _files(beginning: str) -> list[str]:
    """The local files whose path begins so, folders with a slash. Names that a shell wouldn't take literally
    are left out, since kubectl's scripts don't quote them.
    """
    folder, slash, start = beginning.rpartition("/")
    with suppress(OSError):
        return [
            f"{folder}{slash}{file.name}{'/' if file.is_dir() else ''}"
            for file in sorted(Path(folder or slash or ".").iterdir())
            if file.name.startswith(start) and _SIMPLE.fullmatch(file.name)
        ]
    return []


for _shell in (Bash, Zsh, Fish, KubectlComplete):
    add_completion_class(_shell)


def main() -> None:
    """The program `kubectl_complete-twinhull`."""
    os.environ[COMPLETE_VARIABLE] = "kubectl_complete"
    from twinhull.cli import main as command  # noqa: PLC0415  it reads the variable

    command()
