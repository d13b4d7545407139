r"""A pytest plugin for nbval, which runs the cells of notebooks: stored results say what they must give.

    python -m pytest -p polybook.nbval --nbval-lax --nbval-results outputs/pytorch \
      _build/notebooks/jupyter/en/pytorch

A cell whose stored result is a plot of curves has to draw one, and a cell with the tag `nbval-check-output`
has to give what is stored. The plugin runs in a framework's environment, so it needs nothing but nbval and
the standard library.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbval.plugin import IPyNbCell

from .keys import digest_code
from .outputs import SVG, CellResult, Output
from .results import CURVES, is_plot_without_data
from .store import Store

_RESULT: pytest.StashKey[CellResult] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("nbval").addoption(
        "--nbval-results", type=Path, metavar="FOLDER", help="what is stored for the notebooks' framework"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Give each cell its stored result; one that nbval compares gets its outputs as reference."""
    folder: Path | None = config.option.nbval_results
    if folder is None:
        return
    cells = [item for item in items if isinstance(item, IPyNbCell)]
    for path in {item.path for item in cells}:
        own = [item for item in cells if item.path == path]
        for item, result in _pairs(own, _stored(folder, path)):
            item.stash[_RESULT] = result
            if item.options["check"]:
                item.cell.outputs = [nbformat.from_dict(output) for output in result.outputs]
                item.cell.execution_count = item.cell_num + 1


def _stored(folder: Path, path: Path) -> Sequence[CellResult]:
    """Return the results of the chapter that a notebook is of; its path ends like that of the results."""
    notebook = path.with_suffix("").parts
    for length in range(len(notebook), 0, -1):
        chapter = "/".join(notebook[-length:]).lstrip("/")
        record = Store(folder.parent).load(folder.name, chapter, lambda _: None)
        if record is not None:
            return record.cells
    return ()


def _pairs(cells: Sequence[Any], results: Sequence[CellResult]) -> Iterator[tuple[Any, CellResult]]:
    """Yield the cells with their results; a cell that was not run as it is now has none."""
    start = 0
    for item in cells:
        digest = digest_code(item.cell.source)
        number = next((n for n in range(start, len(results)) if results[n].digest == digest), None)
        if number is not None:
            yield item, results[number]
            start = number + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Look at the plots of a cell that has run."""
    yield
    if isinstance(item, IPyNbCell):
        stored = item.stash.get(_RESULT, None)
        if fault := find_fault(item.test_outputs or (), stored.outputs if stored else ()):
            item.raise_cell_error(fault)


def find_fault(outputs: Sequence[Mapping[str, Any]], stored: Sequence[Output]) -> str | None:
    """Return what is wrong with the plots among a cell's outputs, or `None`."""
    plots = [dict(output) for output in outputs if CURVES in output.get("data", {})]
    if not plots and any(CURVES in output.get("data", {}) for output in stored):
        return "The cell draws no curves, and its stored result has some."
    if any(is_plot_without_data(plot) for plot in plots):
        return "A plot has a curve without data."
    if not all("<svg" in plot["data"].get(SVG, "") for plot in plots):
        return "A plot has no image."
    return None
