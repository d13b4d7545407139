"""How long the site of a large book takes: cold, after one change, with nothing changed, on two cores.

The book is made of this one's chapters, repeated under other names, without results. Times are those that
a person waits, the start of the command included; on one core they are those of the processor, which other
programs on the machine change least. Each is the median of some rounds, all in one run. What a browser takes
for a page is measured with this book's longest chapter.

    .venv/bin/python benchmarks/site.py [--copies N] [--rounds N] [--d2lbook PYTHON]

PYTHON belongs to an environment with d2lbook (d2lbook==1.0.3, pybtex<0.25, pandoc): the same pages are then
built with it, too, and the last column says how many times longer it takes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

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
LANGUAGES = ("en", "pt", "zh", "fr")
POLYBOOK = (sys.executable, "-m", "polybook")
#: The core of what runs on one: the last one, as other programs tend to use the first.
ONE_CORE = ("taskset", "--cpu-list", str(max(os.sched_getaffinity(0))))
D2LBOOK_CONFIG = f"""\
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
tabs = {", ".join(FRAMEWORKS)}
default_tab = {FRAMEWORKS[0]}
"""
_LABEL = re.compile(r"(:(?:eq)?label:|:numref:|:eqref:|:ref:)`([^`]+)`")
_SAVE = re.compile(r"[ \t]*#@save")
#: What is for JAX alone, which d2lbook does not know.
_JAX_CELL = re.compile(r"^```\{\.python \.input\}\n#@tab jax\n.*?^```\n", re.MULTILINE | re.DOTALL)
_JAX_PROSE = re.compile(r"^:begin_tab:`jax`\n.*?^:end_tab:\n", re.MULTILINE | re.DOTALL)
_TAB = re.compile(r"^(#@tab .*)$", re.MULTILINE)


def repeated(text: str, number: int) -> str:
    """Return a chapter as its copy `number`: labels and cells of its own, nothing saved, nothing for JAX."""
    text = _JAX_PROSE.sub("", _JAX_CELL.sub("", text))
    text = re.sub(r"(?m)^((?:#@tab|:begin_tab:).*?), jax|(?<=[ `])jax, ", r"\1", text)
    text = _LABEL.sub(lambda match: f"{match[1]}`{match[2]}_{number}`", text)
    return _TAB.sub(rf"\1\n# Copy {number}", _SAVE.sub("", text))


def write_book(root: Path, copies: int, tags: Sequence[str]) -> list[str]:
    """Write a book of repeated chapters in some languages; return the chapters' names."""
    names = ["index", *(f"{name}-{number}" for number in range(copies) for name in REPEATED), "references"]
    for tag in tags:
        folder = root / "chapters" / tag
        folder.mkdir(parents=True)
        (folder / "index.md").write_text("# Large\n\nA large book.\n", encoding="utf-8")
        for name in names[1:-1]:
            stem, _, number = name.rpartition("-")
            text = (ROOT / "chapters" / tag / f"{stem}.md").read_text(encoding="utf-8")
            (folder / f"{name}.md").write_text(repeated(text, int(number)), encoding="utf-8")
        shutil.copy(ROOT / "chapters" / tag / "references.md", folder)
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


def waited(command: Sequence[str], root: Path) -> float:
    """Return the seconds that a command takes."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return time.perf_counter() - start


def on_one_core(command: Sequence[str], root: Path) -> float:
    """Return the seconds of the processor that a command takes, kept on one core."""
    before = os.times()
    waited([*ONE_CORE, *command], root)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def remove_build(root: Path) -> Path:
    """Put aside all that was built of a book; return its folder.

    Nothing is deleted: a file system may take seconds to make files where as many were deleted just now.
    """
    build = root / "_build"
    if build.exists():
        build.rename(Path(tempfile.mkdtemp(dir=root.parent)) / build.name)
    return root


def change(root: Path, name: str) -> str:
    """Add a sentence to a chapter of the book at `root` and return it."""
    path = root / "chapters" / "en" / f"{name}.md"
    sentence = f"This was written at {time.time()}."
    path.write_text(path.read_text(encoding="utf-8") + f"\n{sentence}\n", encoding="utf-8")
    return sentence


def changed(root: Path, name: str) -> Path:
    """Change a chapter of the book at `root`, which is returned."""
    change(root, name)
    return root


def serving(root: Path, name: str, rounds: int) -> list[float]:
    """Return the seconds from a change of one chapter to the page that `polybook serve` gives."""
    page = root / "_build" / "html" / "en" / f"{name}.html"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [*POLYBOOK, "serve", "--port", str(port)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            while "Built." not in (server.stdout.readline() if server.stdout else ""):
                pass
            return [_until_shown(page, root, name) for _ in range(rounds + 1)][1:]  # the first one warms up
        finally:
            server.terminate()


def _until_shown(page: Path, root: Path, name: str) -> float:
    time.sleep(1)
    start = time.perf_counter()
    sentence = change(root, name)
    while sentence not in page.read_text(encoding="utf-8"):
        time.sleep(0.005)
    return time.perf_counter() - start


def one_language(root: Path, name: str, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what was measured in a book in one language, and the seconds of each round."""
    build = [*POLYBOOK, "build", "--jobs"]
    one, two = [*build, "1"], [*build, "2"]
    yield "cold, two cores", [waited(two, remove_build(root)) for _ in range(rounds)]
    yield "cold, one core", [on_one_core(one, remove_build(root)) for _ in range(rounds)]
    yield "one page changed, one core", [on_one_core(one, changed(root, name)) for _ in range(rounds)]
    yield "one page changed, two cores", [waited(two, changed(root, name)) for _ in range(rounds)]
    yield "one page changed, `serve`", serving(root, name, rounds)
    waited(two, root)
    yield "nothing changed", [waited(one, root) for _ in range(rounds)]


def all_languages(root: Path, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what was measured in a book in all languages, and the seconds of each round."""
    build = [*POLYBOOK, "build", "--jobs"]
    one, two = [*ONE_CORE, *build, "1"], [*build, "2"]
    cold = [[waited(command, remove_build(root)) for command in (one, two)] for _ in range(rounds)]
    for case, seconds in zip(("cold, one core", "cold, two cores"), zip(*cold, strict=True), strict=True):
        yield case, list(seconds)
    yield "nothing changed", [waited(two, root) for _ in range(rounds)]


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
    """Yield what d2lbook takes for the same, one round each: it is slow enough."""
    os.environ["PATH"] = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    steps = [f"d2lbook build eval --tab {framework}" for framework in FRAMEWORKS]
    command = ["sh", "-c", " && ".join([*steps, "d2lbook build html --tab all"])]
    yield "cold, one core", [on_one_core(command, folder)]
    path = folder / f"{name}.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nA sentence.\n", encoding="utf-8")
    yield "one page changed, one core", [on_one_core(command, folder)]


def in_browser(page: Path, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield how long Chromium takes for a page, from the request to what a reader waits for."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown, whole = [], []
        for _ in range(rounds):
            tab = browser.new_context(offline=True).new_page()
            start = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="load")
            shown.append(time.perf_counter() - start)
            tab.evaluate("async () => { await window.MathJax?.startup?.promise; }")
            whole.append(time.perf_counter() - start)
            tab.context.close()
        browser.close()
    yield "a page in Chromium", shown
    yield "the same with its formulas", whole


def show(rows: Iterator[tuple[str, list[float]]], theirs: dict[str, list[float]]) -> dict[str, float]:
    """Print a table, line by line, and return its medians."""
    medians = {}
    for case, seconds in rows:
        medians[case] = statistics.median(seconds)
        line = f"{case:<28}{medians[case]:8.2f} s"
        if case in theirs:
            other = statistics.median(theirs[case])
            line += f"{other:10.1f} s{other / medians[case]:8.1f}x"
        print(line, flush=True)
    return medians


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How long the site of a large book takes.")
    parser.add_argument("--copies", type=int, default=16, help="copies of each chapter")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--d2lbook", metavar="PYTHON")
    options = parser.parse_args()
    rounds = options.rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "book"
        names = write_book(root, options.copies, LANGUAGES[:1])
        theirs: dict[str, list[float]] = {}
        if options.d2lbook:
            copy = Path(folder) / "d2lbook"
            d2lbook_copy(root, names, copy)
            theirs = dict(d2lbook_rounds(options.d2lbook, copy, names[1]))
        beside = f"{'d2lbook':>17}" if theirs else ""
        print(f"{f'{len(names)} pages, {len(FRAMEWORKS)} frameworks':<38}{beside}")
        show(one_language(root, names[1], rounds), theirs)
        longest = root / "_build" / "html" / "en" / f"{names[1]}.html"
        show(in_browser(longest, rounds), {})

        root = Path(folder) / "languages"
        names = write_book(root, options.copies // len(LANGUAGES), LANGUAGES)
        print(f"{len(names)} pages in each of {len(LANGUAGES)} languages")
        medians = show(all_languages(root, rounds), {})
        ratio = medians["cold, one core"] / medians["cold, two cores"]
        print(f"{'two cores do':<28}{ratio:8.2f} times as much")


if __name__ == "__main__":
    main()
