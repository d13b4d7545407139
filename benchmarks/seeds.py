"""Whether the seed chapters, written by others for the same library, learn what they should: all run in full.

Prints a line for each seed and framework with what it reached, and fails if one misses its target. The
seeds lie outside the repository, in the folder that POLYBOOK_SEEDS names. A run takes from seconds to
half an hour; D2L_SMOKE=1 shortens all of them and misses the targets.

    .venv/bin/python benchmarks/seeds.py [FRAMEWORK ...]
    .venv/bin/python benchmarks/seeds.py --cells FOLDER

The second form runs nothing. It writes each seed's code cells and what a reader sets in the environment for
them to `FOLDER/unchanged/<seed>.<framework>.json`; in `FOLDER/notebooks` the names of the library that mean
one of the framework's are replaced, as in readers' notebooks.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SEEDS = Path(os.environ.get("POLYBOOK_SEEDS") or ROOT.parent / "shared" / "seeds")
#: The frameworks that seeds name, that of their unmarked cells first, and their modules in the library.
MODULES = {"mxnet": "mxnet", "pytorch": "torch", "tensorflow": "tensorflow"}
#: What a reader sets: TensorFlow cells are written for Keras 2, see docs/adr/0006-keras.md.
SETTINGS = {"tensorflow": {"TF_USE_LEGACY_KERAS": "1"}}
#: A curve's values, by the curve's name.
Plot = dict[str, list[float]]

#: What makes a framework's random numbers the same in each run: now and then a training ends on a spike.
FIXED = {
    "mxnet": "import mxnet; mxnet.random.seed(0)",
    "pytorch": "import torch; torch.manual_seed(0)",
    "tensorflow": "import tensorflow; tensorflow.random.set_seed(0)",
}

#: Runs a program and writes the curves of its plots to a file.
RUNNER = """
import json, random, runpy, sys
from pathlib import Path
from d2l import {module} as d2l
random.seed(0)
{fixed}

plots, show = [], d2l.ProgressBoard.show

def record(board):
    if board.curves and not board.finished:
        plots.append({{curve["name"]: curve["y"] for curve in board.numbers()["curves"]}})
    show(board)

d2l.ProgressBoard.show = record
runpy.run_path(sys.argv[1])
Path(sys.argv[2]).write_text(json.dumps(plots))
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What the plots of a seed must show."""

    #: The target in a few words.
    words: str
    #: How many trainings there are.
    trainings: int
    #: Whether the plot of a training meets the target.
    is_met: Callable[[Plot], bool]


def ends_below(limit: float) -> Callable[[Plot], bool]:
    """Return a test whether the training perplexity ends at `limit` or below."""
    return lambda plot: plot["train_ppl"][-1] <= limit


def falls(plot: Plot) -> bool:
    """Return whether each quarter of the validation perplexities has a lower mean than the one before."""
    values = plot["val_ppl"]
    size = len(values) // 4
    means = [statistics.fmean(values[i : i + size]) for i in range(0, 4 * size, size)] if size else []
    return bool(means) and means == sorted(set(means), reverse=True)


TARGETS = {
    "000": Target("train_ppl <= 1.2", 1, ends_below(1.2)),
    "001": Target("train_ppl <= 1.2", 1, ends_below(1.2)),
    "002": Target("val_ppl falls", 2, falls),
    "003": Target("train_ppl <= 1.4", 1, ends_below(1.4)),
    "004": Target("runs", 0, lambda plot: True),
}


# From chapters to cells


def write_cells(folder: Path) -> None:
    """Write the cells of all seeds to the two folders below `folder`."""
    library = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["polybook"]["library"]
    aliases = {name: aliases for name, aliases in library["aliases"].items() if name in MODULES}
    for kind, settings in {
        "unchanged": {},
        "notebooks": {"library": {"module": library["module"], "aliases": aliases}},
    }.items():
        with tempfile.TemporaryDirectory() as book:
            make_notebooks(Path(book), settings)
            for path in Path(book).glob("_build/notebooks/jupyter/*/*/*.ipynb"):
                framework, notebook = path.parent.name, json.loads(path.read_text(encoding="utf-8"))
                cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
                target = folder / kind / f"{path.stem}.{framework}.json"
                target.parent.mkdir(parents=True, exist_ok=True)
                seed = {"cells": cells, "settings": SETTINGS.get(framework, {})}
                target.write_text(json.dumps(seed, ensure_ascii=False), encoding="utf-8")


def make_notebooks(book: Path, settings: dict[str, Any]) -> None:
    """Make a book of the seeds, and its notebooks with polybook."""
    (book / "chapters").mkdir()
    seeds = sorted(path for number in TARGETS for path in SEEDS.glob(f"{number}_*.txt"))
    for path in seeds:
        (book / "chapters" / f"{path.stem}.md").write_bytes(path.read_bytes())
    names = [path.stem for path in seeds]
    toc = {"format": "jb-book", "root": names[0], "chapters": [{"file": name} for name in names[1:]]}
    settings = {"languages": {"pt": "chapters"}, "frameworks": list(MODULES), **settings}
    config = {"title": "Seeds", "polybook": settings}
    (book / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    # Its exit status tells of the chapters' flaws, such as references to chapters that are not here.
    command = [sys.executable, "-m", "polybook", "notebooks", "--book", str(book)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if not (book / "_build" / "notebooks").is_dir():
        raise SystemExit(done.stderr)


# Runs


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a seed in a framework."""

    #: How long it took.
    seconds: float
    #: The plots of its trainings.
    plots: list[Plot]
    #: The last line of its complaint, or nothing.
    error: str


def run(path: Path, framework: str) -> Run:
    """Run the cells of a seed to their end, with the library of this repository."""
    seed = json.loads(path.read_text(encoding="utf-8"))
    program, results = path.with_suffix(".py"), path.with_suffix(".plots")
    program.write_text("\n\n".join(seed["cells"]) + "\n", encoding="utf-8")
    runner = RUNNER.format(module=MODULES[framework], fixed=FIXED[framework])
    command = [ROOT / ".venvs" / framework / "bin" / "python", "-c", runner, program, results]
    environment = {"OMP_NUM_THREADS": "1", **os.environ, **seed["settings"], "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    seconds = time.perf_counter() - start
    plots = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    return Run(seconds, plots, done.stderr.strip().split("\n")[-1] if done.returncode else "")


def is_met(target: Target, run: Run) -> bool:
    """Return whether a seed did what it should."""
    return not run.error and len(run.plots) == target.trainings and all(map(target.is_met, run.plots))


def row(*columns: object) -> str:
    """Return a line of the table."""
    widths = (6, 12, 9, 14, 14, 20, 0)
    return "".join(f"{column!s:<{width}}" for column, width in zip(columns, widths, strict=True)).rstrip()


def ends(run: Run, curve: str) -> str:
    """Return the last values of the curves of this name."""
    return ", ".join(f"{plot[curve][-1]:.2f}" for plot in run.plots if curve in plot) or "-"


def run_all(frameworks: Sequence[str], folder: Path) -> Iterator[bool]:
    """Run every seed in each framework that it has code for; yield whether it met its target."""
    for path in sorted((folder / "unchanged").glob("*.json")):
        number, framework = path.name[:3], path.stem.split(".")[-1]
        if framework in frameworks:
            target, result = TARGETS[number], run(path, framework)
            met = is_met(target, result)
            reached = (f"{result.seconds:.0f}", ends(result, "train_ppl"), ends(result, "val_ppl"))
            print(row(number, framework, *reached, target.words, "yes" if met else "NO"), flush=True)
            if result.error:
                print(f"      {result.error}", flush=True)
            yield met


def available() -> list[str]:
    """Return the frameworks that have an environment and a module of the library."""
    return [
        name
        for name, module in MODULES.items()
        if (ROOT / ".venvs" / name / "bin" / "python").exists() and (ROOT / "d2l" / f"{module}.py").exists()
    ]


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description="Run the seed chapters in full.")
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", default=available())
    parser.add_argument("--cells", type=Path, metavar="FOLDER", help="write the cells, run nothing")
    arguments = parser.parse_args()
    if not any(SEEDS.glob("*.txt")):
        raise SystemExit(f"There are no seed chapters in {SEEDS}; POLYBOOK_SEEDS names their folder.")
    if arguments.cells:
        write_cells(arguments.cells)
        return
    print(row("seed", "framework", "seconds", "train_ppl", "val_ppl", "target", "ok"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write_cells(Path(folder))
        met = list(run_all(arguments.frameworks, Path(folder)))
    sys.exit(not all(met))


if __name__ == "__main__":
    main()
