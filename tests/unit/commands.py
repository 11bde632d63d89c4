"""Finds the commands that messages tell a person to run."""

from __future__ import annotations

import re

import click

from twinhull.cli import main

#: A command of kubectl or virtctl on objects, up to what ends it in a sentence.
_OTHERS = re.compile(r"\b(?:kubectl (?:create|delete|describe|get)|virtctl [a-z-]+)\b[^`,;:()]*")
#: What is in no namespace, or is said with another one.
_OF_CLUSTER = re.compile(r" (?:nodes|isopol|cdi|apiservice|kubevirt)\b| -A\b")


def verbs() -> frozenset[str]:
    """The verbs that ask a cluster about a Workload of a namespace."""
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    asking = {
        name
        for name, command in found.items()
        if command and any(parameter.name == "namespace" for parameter in command.params)
    }
    return frozenset(asking - {"convert"})


def elsewhere(text: str, name: str, namespace: str) -> list[str]:
    """The commands in a text that lead to the namespace that the reader's kubeconfig is set to, not to the
    Workload of that name and namespace.
    """
    of_workload = re.compile(rf"\btwinhull (?:{'|'.join(verbs())}) (?:-\w+ )*{name}\b(?! -n {namespace}\b)")
    ours = [found[0] for found in of_workload.finditer(text)]
    others = [found[0] for found in _OTHERS.finditer(text) if not _OF_CLUSTER.search(found[0])]
    return [*ours, *(one for one in others if not re.search(rf" -n {namespace}\b", one))]
