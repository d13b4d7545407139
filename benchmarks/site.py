"""How long the site of a large book takes: cold, after one change, with nothing changed, on two cores.

The book is made of this one's chapters, repeated under other names, without results. Times are those that
a person waits for the command, its start included; each is the median of some rounds, all in one run.

    .venv/bin/python benchmarks/site.py [--pages N] [--rounds N] [--d2lbook PYTHON]

PYTHON belongs to an environment with d2lbook (d2lbook==1.0.3, pybtex<0.25): the same pages are then built
with it, too, and the last column says how many times longer it takes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ("pytorch", "tensorflow", "mxnet")
#: Chapters that are repeated: all that have code.
REPEATED = (
    "interface",
    "text",
    "language-model",
    "rnn",
    "rnn-scratch",
    "rnn-concise",
    "lstm",
    "gru",
    "deep-rnn",
    "bi-rnn",
    "classic-interface",
)
D2LBOOK_CONFIG = """\
[project]
name = large
title = Large
author = A benchmark
copyright = 2026
release = 1

[build]
notebooks = *.md
resources = img references.bib
eval_notebook = False
tabs = pytorch, tensorflow, mxnet
default_tab = pytorch
"""
_LABEL = re.compile(r"(:(?:eq)?label:|:numref:|:eqref:|:ref:)`([^`]+)`")
_SAVE = re.compile(r"[ \t]*#@save")


def repeated(text: str, number: int) -> str:
    """Return a chapter as its copy `number`: labels of its own, nothing saved."""
    text = _LABEL.sub(lambda match: f"{match[1]}`{match[2]}_{number}`", text)
    return _SAVE.sub("", text)


def write_book(root: Path, pages: int, languages: int) -> list[str]:
    """Write a book of `pages` pages in each of `languages` languages; return the chapters' names."""
    tags = ["en", "pt", "zh", "fr"][:languages]
    copies = [f"{name}-{number}" for number in range(pages) for name in REPEATED]
    names = ["index", *copies[: pages - 2], "references"]
    for tag in tags:
        folder = root / "chapters" / tag
        folder.mkdir(parents=True)
        (folder / "index.md").write_text("# Large\n\nA large book.\n", encoding="utf-8")
        for name in names[1:-1]:
            stem, number = name.rsplit("-", 1)
            text = (ROOT / "chapters" / tag / f"{stem}.md").read_text(encoding="utf-8")
            (folder / f"{name}.md").write_text(repeated(text, int(number)), encoding="utf-8")
    for tag in tags:
        shutil.copy(ROOT / "chapters" / tag / "references.md", root / "chapters" / tag)
    shutil.copy(ROOT / "chapters" / "references.bib", root / "chapters")
    shutil.copytree(ROOT / "img", root / "img")
    polybook = {
        "source": tags[0],
        "languages": {tag: f"chapters/{tag}" for tag in tags},
        "frameworks": list(FRAMEWORKS),
    }
    config = {"title": "Large", "author": "A benchmark", "polybook": polybook}
    (root / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    toc = {"format": "jb-book", "root": names[0], "chapters": [{"file": name} for name in names[1:]]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    return names


def waited(command: list[str], root: Path, *, fails: bool = False) -> float:
    """Return the seconds that a command takes on one core, or on all if it uses them."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode and not fails:
        raise SystemExit(done.stderr)
    return time.perf_counter() - start


def change(root: Path, name: str, number: int) -> None:
    """Add a sentence to a chapter."""
    path = root / "chapters" / "en" / f"{name}.md"
    path.write_text(path.read_text(encoding="utf-8") + f"\nSentence {number}.\n", encoding="utf-8")


def polybook_rounds(root: Path, name: str, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what was measured, and the seconds of each round."""
    build = [sys.executable, "-m", "polybook", "build", "--jobs"]
    one_core = ["taskset", "--cpu-list", "0", *build, "1"]

    def cold(command: list[str]) -> float:
        shutil.rmtree(root / "_build", ignore_errors=True)
        return waited(command, root)

    def changed(number: int) -> float:
        change(root, name, number)
        return waited(one_core, root)

    yield "cold, two cores", [cold([*build, "2"]) for _ in range(rounds)]
    yield "cold, one core", [cold(one_core) for _ in range(rounds)]
    yield "one page changed", [changed(number) for number in range(rounds)]
    yield "nothing changed", [waited(one_core, root) for _ in range(rounds)]


def d2lbook_copy(root: Path, names: list[str], folder: Path) -> None:
    """Write the same chapters as a project of d2lbook."""
    folder.mkdir()
    for name in names:
        text = (root / "chapters" / "en" / f"{name}.md").read_text(encoding="utf-8")
        text = text.replace("../../img/", "img/").replace("../references.bib", "references.bib")
        if name == names[0]:
            pages = "\n".join(names[1:])
            text += f"\n```toc\n:numbered:\n\n{pages}\n```\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    shutil.copytree(root / "img", folder / "img")
    shutil.copy(root / "chapters" / "references.bib", folder)
    (folder / "config.ini").write_text(D2LBOOK_CONFIG, encoding="utf-8")


def d2lbook_rounds(python: str, folder: Path, name: str) -> Iterator[tuple[str, list[float]]]:
    """Yield what d2lbook takes, one round each: it is slow enough."""
    program = str(Path(python).with_name("d2lbook"))
    os.environ["PATH"] = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["taskset", "--cpu-list", "0", program, "build", "html"]
    yield "cold, one core", [waited(command, folder)]
    path = folder / f"{name}.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nA sentence.\n", encoding="utf-8")
    yield "one page changed", [waited(command, folder)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How long the site of a large book takes.")
    parser.add_argument("--pages", type=int, default=171)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--d2lbook", metavar="PYTHON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "book"
        names = write_book(root, options.pages, 1)
        theirs: dict[str, list[float]] = {}
        if options.d2lbook:
            copy = Path(folder) / "d2lbook"
            d2lbook_copy(root, names, copy)
            theirs = dict(d2lbook_rounds(options.d2lbook, copy, names[1]))
        print(f"{options.pages} pages, {len(FRAMEWORKS)} frameworks, median of {options.rounds} rounds")
        for case, seconds in polybook_rounds(root, names[1], options.rounds):
            ratio = (
                f"{statistics.median(theirs[case]) / statistics.median(seconds):8.1f}x"
                if case in theirs
                else ""
            )
            print(f"{case:<20}{statistics.median(seconds):8.2f} s{ratio}")


if __name__ == "__main__":
    main()
