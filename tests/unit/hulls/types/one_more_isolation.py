"""Runs a module in a process in which the product has one isolation more, MicroVM, and is the same otherwise.

`python -m tests.unit.hulls.types.one_more_isolation MODULE ARGUMENT…`
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path
from types import ModuleType

_LAST = '    VIRTUAL_MACHINE = "VirtualMachine"\n'
_ADDED = '    MICRO_VM = "MicroVM"\n'


def _add() -> None:
    spec = importlib.util.find_spec("twinhull.api.isolation")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    assert source.count(_LAST) == 1
    module = ModuleType(spec.name)
    sys.modules[spec.name] = module
    exec(source.replace(_LAST, _LAST + _ADDED), module.__dict__)  # noqa: S102  the package's own source


if __name__ == "__main__":
    _add()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__")
