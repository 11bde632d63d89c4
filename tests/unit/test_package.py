"""The package as it is installed: what the wheel holds, and what must not be beside it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import twinhull

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(_ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in wheel.namelist()}

    named = f"twinhull-{twinhull.__version__}"
    assert top == {"twinhull", f"{named}.data", f"{named}.dist-info"}
    shared = {name for name in wheel.namelist() if name.startswith(f"{named}.data/")}
    assert {name.split("/")[1] for name in shared} == {"data"}
    assert len(shared) == len([*(_ROOT / "man").iterdir(), *(_ROOT / "completions").iterdir()])


def test_the_wheel_holds_the_template_schema_and_the_type_marker(wheel: zipfile.ZipFile) -> None:
    files = {f"twinhull/api/{name}.json" for name in ("podtemplate", "templatetypes")}
    assert {*files, "twinhull/py.typed"} <= set(wheel.namelist())


def test_the_wheel_holds_the_admission_policies_cel(wheel: zipfile.ZipFile) -> None:
    files = {path.name for path in (_ROOT / "operator/twinhull/api/cel").iterdir()}
    assert "isolation.cel" in files
    assert {f"twinhull/api/cel/{name}" for name in files} <= set(wheel.namelist())


def test_the_source_root_is_no_package() -> None:
    """It would shadow the standard library's `operator`."""
    assert not (_ROOT / "operator" / "__init__.py").exists()


def test_it_asks_for_the_kopf_whose_private_modules_it_uses(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"twinhull-{twinhull.__version__}.dist-info/METADATA").decode()

    assert "Requires-Dist: kopf<1.46,>=1.45\n" in metadata
