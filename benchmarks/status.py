"""How long `polybook status` takes on a large book whose results are all there.

Small chapters are generated, each with code of its own for every framework, and a result is stored for
each; then the command runs as an author would run it, its start included.

    .venv/bin/python benchmarks/status.py [CHAPTERS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from polybook.outputs import Provenance, make_record
from polybook.pipeline.book import load_book
from polybook.pipeline.units import OUTPUTS_FOLDER, find_units
from polybook.store import Store

FRAMEWORKS = {"pytorch": "torch", "tensorflow": "tensorflow", "mxnet": "mxnet", "jax": "jax"}
CHAPTERS = 200
ROUNDS = 5
#: Every so many chapters one saves a function that all later ones use.
SAVING = 10

_ALL = """
```{{.python .input}}
#@tab all
def step_{number}(X, state, rate={number}):
    # Move every entry of the state
    return [x + rate * s for x, s in zip(X, state)], state[::-1]
```
"""
_SAVED = """
```{{.python .input}}
#@tab all
def helper_{number}(X):  #@save
    \"\"\"Return the sum of the squares.\"\"\"
    return sum(x ** {number} for x in X)
```
"""
_OWN = """
```{{.python .input}}
#@tab {framework}
from d2l import {module} as d2l
import {module}

X = {module}.ones(({number}, 4))
print(d2l.helper_{helper}([1, 2, 3]), X.shape)
```
"""


def chapter(number: int) -> str:
    """Return a chapter's text."""
    own = (
        _OWN.format(framework=name, module=module, number=number, helper=number // SAVING * SAVING)
        for name, module in FRAMEWORKS.items()
    )
    saved = _SAVED.format(number=number) if number % SAVING == 0 else ""
    cells = (saved, *own, _ALL.format(number=number))
    return f"# Chapter {number}\n\nSome text about $x_{number}$.\n{''.join(cells)}"


def write_book(root: Path, count: int) -> None:
    """Write a book of `count` chapters with a result for each framework."""
    names = [f"chapter-{number}" for number in range(count)]
    settings = {
        "languages": {"en": "chapters"},
        "frameworks": list(FRAMEWORKS),
        "library": {"module": "d2l"},
    }
    toc = {"format": "jb-book", "root": names[0], "chapters": [{"file": name} for name in names[1:]]}
    (root / "_config.yml").write_text(yaml.safe_dump({"title": "Large", "polybook": settings}))
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    (root / "chapters").mkdir()
    for number, name in enumerate(names):
        (root / "chapters" / f"{name}.md").write_text(chapter(number))
    store = Store(root / OUTPUTS_FOLDER)
    for unit in find_units(load_book(root)):
        outputs = [[{"output_type": "stream", "name": "stdout", "text": "1.0\n"}] for _ in unit.codes]
        provenance = Provenance(unit.framework, "1.0", "3.11.0", "cpu", {})
        record = make_record(unit.chapter.name, unit.codes, outputs, unit.definitions, provenance)
        store.save(unit.framework, record)


def measure(root: Path) -> tuple[float, float]:
    """Return the seconds of one `polybook status`: on the clock, and of the processor."""
    command = [sys.executable, "-m", "polybook", "status", "--book", str(root)]
    start, before = time.perf_counter(), os.times()
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, after = time.perf_counter() - start, os.times()
    lines = answer.stdout.splitlines()
    assert all(line.startswith("fresh") for line in lines), lines[:3]
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, spent


def main() -> None:
    """Print the seconds, the median of several calls."""
    count = int(sys.argv[1]) if sys.argv[1:] else CHAPTERS
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_book(root, count)
        rounds = [measure(root) for _ in range(ROUNDS)]
    clock, processor = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    print(f"polybook status, {count} chapters in {len(FRAMEWORKS)} frameworks")
    print(f"on the clock        {clock:6.2f} s")
    print(f"of the processor    {processor:6.2f} s")


if __name__ == "__main__":
    main()
