"""How fast the library trains, against the one that its interface comes from, on one core and in one run.

    .venv/bin/python benchmarks/library.py [FRAMEWORK ...] [--rounds N] [--fits N] [--only TABLE]

Upstream's own code (d2l 1.0.3 for classes, 0.17.6 for functions) runs in environments of its own, made below
`_build/upstream` from those of the frameworks; `cases/` says what it needs on today's frameworks. Both sides
take turns; each number is the median of the rounds. Epochs are measured in seconds of the processor, which
other programs disturb less; fits with their live plots in seconds that a reader waits. D2L_DATA names the
folder with the text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polybook.execute import Setting, run
from polybook.frameworks import FRAMEWORKS

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "benchmarks" / "cases"
UPSTREAM = ROOT / "_build" / "upstream"
NAMES = ("pytorch", "tensorflow", "jax", "mxnet")
#: Upstream's releases: the last one of each interface.
RELEASES = {"classes": "1.0.3", "fits": "1.0.3", "functions": "0.17.6"}
#: What upstream imports besides the framework. In JAX it reads its text with TensorFlow.
NEEDS = {
    "pytorch": ["pandas", "scipy", "requests"],
    "tensorflow": ["pandas", "scipy", "requests"],
    "jax": ["pandas", "scipy", "requests", "tensorflow-cpu==2.21.0", "tensorflow-datasets"],
    "mxnet": ["pandas<2.3.4", "scipy", "requests", "numpy<1.24"],
}
#: The models of the chapter on deep networks, which a reader waits for.
FITS = ("deep scratch", "deep GRU")
#: What is measured in seconds of an epoch, by the interface.
Numbers = dict[str, dict[str, float]]


# Setting up


def prepare(names: list[str]) -> None:
    """Make upstream's environments, which see the frameworks of the book's own, unless they are there."""
    for release in sorted(set(RELEASES.values())):
        folder = UPSTREAM / f"d2l-{release}"
        if not folder.exists():
            options = ["--no-deps", "--no-compile", "--target", str(folder)]
            pip(ROOT / ".venv", *options, f"d2l=={release}")
    for name in names:
        environment = UPSTREAM / name
        if not (environment / "ready").exists():
            subprocess.run([ROOT / ".venvs" / name / "bin/python", "-m", "venv", environment], check=True)
            packages = "lib/python3.11/site-packages"
            (environment / packages / "framework.pth").write_text(f"{ROOT / '.venvs' / name / packages}\n")
            pip(environment, *NEEDS[name])
            (environment / "ready").touch()
    text = Path(os.environ.get("D2L_DATA") or ROOT.parent / "shared" / "data") / "timemachine.txt"
    for folder in (UPSTREAM / "data", UPSTREAM / "work"):
        folder.mkdir(exist_ok=True)
    shutil.copy(text, UPSTREAM / "data")  # beside the folder that upstream runs in


def pip(environment: Path, *options: str) -> None:
    """Install something into an environment."""
    command = [environment / "bin/python", "-m", "pip", "install", "--quiet", *options]
    subprocess.run(command, check=True)


def library(side: str, interface: str) -> Path:
    """Return the folder that `d2l` of a side is imported from."""
    return ROOT if side == "ours" else UPSTREAM / f"d2l-{RELEASES[interface]}"


def environment(side: str, name: str) -> Path:
    """Return the environment that a side runs in."""
    return ROOT / ".venvs" / name if side == "ours" else UPSTREAM / name


def variables() -> dict[str, str]:
    """Return what both sides are told."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    return {"OMP_NUM_THREADS": "1", "D2L_DATA": str(UPSTREAM / "data"), **quiet}


# Epochs


def measure(name: str, side: str, interface: str) -> dict[str, Any]:
    """Return what a program that measures one library in one framework prints."""
    command = [environment(side, name) / "bin/python", CASES / "measure.py", name, side, interface]
    told = {**os.environ, **variables(), "PYTHONPATH": str(library(side, interface))}
    done = subprocess.run(
        command, cwd=UPSTREAM / "work", env=told, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name}, {side}, {interface}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return found


def rounds(name: str, interface: str, count: int) -> dict[str, Numbers]:
    """Return, for each side, the medians of each model's numbers, with the rate of a large product."""
    sides = ["ours"] if (name, interface) == ("jax", "functions") else ["ours", "upstream"]
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for _ in range(count):
        for side in sides:
            found[side].append(measure(name, side, interface))
    return {side: medians(measured) for side, measured in found.items()}


def medians(measured: list[dict[str, Any]]) -> Numbers:
    """Return the medians of what was measured several times."""
    numbers: Numbers = {}
    for kind, first in measured[0]["cases"].items():
        numbers[kind] = {
            key: statistics.median(each["cases"][kind][key] for each in measured) for key in first
        }
        numbers[kind]["product"] = statistics.median(each["product"] for each in measured)
    return numbers


def report_epochs(name: str, interface: str, count: int) -> Iterator[str]:
    """Yield the lines of a table of epochs."""
    found = rounds(name, interface, count)
    for kind, ours in found["ours"].items():
        theirs = found.get("upstream", {}).get(kind)
        columns = (
            f"{name} {kind}",
            f"{ours['epoch']:.3f} s",
            f"{theirs['epoch']:.3f} s" if theirs else "-",
            f"{theirs['epoch'] / ours['epoch']:.2f}x" if theirs else "-",
            f"{max(0, ours['first'] - ours['epoch']):.1f} s",
            f"{ours['gflops']:.0f} of {ours['product']:.0f}",
        )
        yield row(*columns)


# Fits


def fit(name: str, side: str) -> tuple[float, float]:
    """Return how long a reader waits for the text and two trainings, and the last plot's kilobytes."""
    upstream = side == "upstream"
    cells = [
        f"import models_{name} as models\nd2l = models.load({upstream})",
        "data = d2l.TimeMachine(batch_size=1024, num_steps=32)",
        *(
            f"model = models.language_model(d2l, {kind!r}, len(data.vocab), {upstream})\n"
            "d2l.Trainer(max_epochs=100, gradient_clip_val=1).fit(model, data)"
            for kind in FITS
        ),
    ]
    setting = Setting(
        FRAMEWORKS[name],
        environment(side, name),
        UPSTREAM / "work",
        [CASES, library(side, "fits")],
        variables(),
        cores=sorted(os.sched_getaffinity(0)),
    )
    marks: list[float] = []
    places = [("library.py", 1)] * len(cells)
    result = asyncio.run(run(cells, places, setting, lambda *_: marks.append(time.perf_counter())))
    waited = time.perf_counter() - marks[1]
    plots = [output["data"]["image/svg+xml"] for output in result.outputs[-1] if has_plot(output)]
    return waited, len(plots[-1].encode()) / 1000


def has_plot(output: Any) -> bool:
    """Return whether an output of a cell is a drawing."""
    return "image/svg+xml" in output.get("data", {})


def report_fits(name: str, count: int) -> Iterator[str]:
    """Yield the line of a framework's fits."""
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "upstream": []}
    for _ in range(count):
        for side, fits in found.items():
            fits.append(fit(name, side))
    (ours, size), (theirs, their_size) = (
        [statistics.median(column) for column in zip(*fits, strict=True)] for fits in found.values()
    )
    yield row(
        f"{name} two fits",
        f"{ours:.0f} s",
        f"{theirs:.0f} s",
        f"{theirs / ours:.2f}x",
        "",
        f"{size:.0f} kB, {their_size:.0f} kB",
    )


def row(*columns: str) -> str:
    """Return a line of the tables."""
    widths = (30, 10, 10, 8, 10, 0)
    return "".join(f"{column:<{width}}" for column, width in zip(columns, widths, strict=True)).rstrip()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How fast the library trains, against upstream's.")
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", choices=[*NAMES, []])
    parser.add_argument("--rounds", type=int, default=5, help="of epochs (default: 5)")
    parser.add_argument("--fits", type=int, default=5, help="rounds of whole trainings (default: 5)")
    parser.add_argument("--only", choices=RELEASES)
    options = parser.parse_args()
    names = options.frameworks or list(NAMES)
    prepare(names)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    titles = {
        "classes": ("classes", "ours", "upstream", "ratio", "compile", "GFLOP/s, of a product"),
        "functions": ("functions", "ours", "upstream", "ratio", "compile", "GFLOP/s, of a product"),
        "fits": ("100 epochs with live plots", "ours", "upstream", "ratio", "", "last plot, upstream's"),
    }
    for interface in [options.only] if options.only else RELEASES:
        print(row(*titles[interface]))
        for name in names:
            lines = (
                report_fits(name, options.fits)
                if interface == "fits"
                else report_epochs(name, interface, options.rounds)
            )
            for line in lines:
                print(line, flush=True)


if __name__ == "__main__":
    main()
