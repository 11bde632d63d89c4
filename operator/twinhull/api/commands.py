"""Commands that messages tell a person to run. Each has the option for its namespace, since the person's
kubeconfig may have another one.

The namespace is empty only where it isn't known yet: the output of `twinhull convert` can be applied to any.
"""

from __future__ import annotations

import shlex


def ours(verb: str, name: str, namespace: str, *more: str) -> str:
    """A command line of `twinhull` for a Workload; `more` follows the namespace. Words are quoted for a shell
    if needed.
    """
    return shlex.join(("twinhull", verb, name, *_option(namespace), *more))


def others(namespace: str, *words: str) -> str:
    """A command line of kubectl or virtctl, which is the first of the words, for objects of a namespace.
    Words are quoted for a shell if needed.
    """
    return shlex.join((*words, *_option(namespace)))


def _option(namespace: str) -> tuple[str, ...]:
    return ("-n", namespace) if namespace else ()
