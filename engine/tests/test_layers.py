"""Imports go down only, as the picture of layers in `docs/architecture.md` has it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "engine" / "src" / "polybook"
#: What only the rows from `cli` to `store` may use; Sphinx runs `site.extension`.
OUTSIDE_WORLD = {
    "asyncio",
    "concurrent",
    "datetime",
    "http",
    "multiprocessing",
    "os",
    "pathlib",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}
MAY_TOUCH_IT = {"cli", "pipeline", "data", "execute", "nbval", "probe", "store"}
HARMLESS = {"pathlib.PurePath", "pathlib.PurePosixPath"}
INSIDE_SPHINX = {"site.extension"}


def modules() -> dict[str, Path]:
    """Return the files of the package by their modules' names: `cli`, `dialect.blocks`, `dialect`."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
#: Every module and package at the top, without the package itself and `python -m polybook`.
PARTS = {name.partition(".")[0] for name in MODULES} - {"", "__main__"}


def rows() -> list[list[str]]:
    """Return the rows of the picture, the top one first, each with the parts that stand in it."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"^## Layers\n.*?^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert picture
    lines = [re.split(" {2,}", line.strip()) for line in picture[1].splitlines()]
    return [[word for word in line if word in PARTS] for line in lines]


ROWS = rows()
ROW_OF = {part: number for number, row in enumerate(ROWS) for part in row}


def test_every_part_stands_in_one_row_and_nothing_else_does():
    named = [part for row in ROWS for part in row]
    assert sorted(named) == sorted(PARTS)
    assert all(ROWS)


def test_the_modules_of_the_pipeline_exist():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    line = re.search(r"^ pipeline {2,}(.*?) {2,}", page, re.MULTILINE)
    assert line
    assert {f"pipeline.{name}" for name in line[1].split()} <= MODULES.keys()


def imports(module: str) -> Iterator[str]:
    """Yield what a module imports, in full: `polybook.model.Cell`, `json`, `pathlib.Path`."""
    path = MODULES[module]
    package = ["polybook", *module.split(".")]
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


OWN = sorted(name for name in MODULES if name.partition(".")[0] in PARTS)


@pytest.mark.parametrize("module", OWN)
def test_imports_go_down(module):
    part = module.partition(".")[0]
    for name in imports(module):
        if name.startswith("polybook."):
            imported = name.split(".")[1]
            assert ROW_OF[imported] >= ROW_OF[part], f"{module} imports {name}"


@pytest.mark.parametrize("module", [name for name in OWN if name.partition(".")[0] not in MAY_TOUCH_IT])
def test_only_the_top_rows_touch_disk_processes_and_clock(module):
    used = {
        name
        for name in imports(module)
        if name not in HARMLESS and any(f"{name}.".startswith(f"{one}.") for one in OUTSIDE_WORLD)
    }
    assert not used or (module in INSIDE_SPHINX and used == {"pathlib.Path"})
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"open", "print", "input", "exec", "eval"}


@pytest.mark.parametrize("module", ROWS[-1])
def test_the_bottom_row_needs_the_standard_library_only(module):
    for name in imports(module):
        assert name.partition(".")[0] in {*sys.stdlib_module_names, "polybook"}, name
