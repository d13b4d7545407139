"""What the builder `d2lbook` makes of the seed chapters, against what polybook makes of them.

    python engine/tests/oracle/compare.py PYTHON [--update]

`PYTHON` is the interpreter of an environment of its own with `d2lbook==1.0.3`, which does not install beside
Jupyter Book. Differences are printed; `--update` writes the digests of the cells of `d2lbook` to
`golden/seeds.json`, against which `test_oracle.py` compares without it.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from polybook.dialect import parse, strip_save_marks
from polybook.frameworks import chapter_frameworks, code_for

TESTS = Path(__file__).parents[1]
GOLDEN = TESTS / "golden" / "seeds.json"
SEEDS = Path(os.environ.get("POLYBOOK_SEEDS", TESTS.parents[2] / "shared" / "seeds"))
#: As d2lbook is told them; the first is the default, as it was for the books that the seeds come from.
FRAMEWORKS = ("mxnet", "pytorch", "tensorflow")
CONFIG = f"""\
[project]
name = seeds
title = Seeds
author = None
copyright = None
release = 0

[build]
notebooks = *.md
tabs = {", ".join(FRAMEWORKS)}
eval_notebook = False
"""

#: The digests of the code cells of each seed, by seed and framework.
Digests = dict[str, dict[str, list[str]]]
#: The code cells themselves.
Cells = dict[str, dict[str, list[str]]]


def seed_paths() -> list[Path]:
    """Return the seed chapters, none where they are not at hand."""
    return sorted(SEEDS.glob("*.txt"))


def polybook_cells() -> Cells:
    """Return the code cells as polybook emits them."""
    cells: Cells = {}
    for path in seed_paths():
        document = parse(path.read_text(encoding="utf-8"))
        cells[path.stem] = {
            framework: [code for cell in document.cells if (code := code_for(cell, framework, FRAMEWORKS[0]))]
            for framework in chapter_frameworks(document, FRAMEWORKS, FRAMEWORKS[0])
        }
    return cells


def d2lbook_cells(python: Path) -> Cells:
    """Return the code cells of the seeds as d2lbook emits them."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in seed_paths()}
    by_framework = {framework: d2lbook_emits(python, texts, framework) for framework in FRAMEWORKS}
    return {
        name: {framework: emitted[name] for framework, emitted in by_framework.items() if emitted[name]}
        for name in texts
    }


def d2lbook_emits(python: Path, texts: Mapping[str, str], framework: str) -> dict[str, list[str]]:
    """Return the code cells of each chapter; d2lbook is known by its command line alone."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder)
        (book / "config.ini").write_text(CONFIG)
        (book / "index.md").write_text("# Book\n\n```toc\n" + "\n".join(texts) + "\n```\n")
        for name, text in texts.items():
            (book / f"{name}.md").write_text(text, encoding="utf-8")
        environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        command = ["d2lbook", "build", "eval", "--tab", framework]
        subprocess.run(command, cwd=book, env=environment, check=True, capture_output=True)
        output = book / "_build" / ("eval" if framework == FRAMEWORKS[0] else f"eval_{framework}")
        return {name: _code_cells(output / f"{name}.ipynb") for name in texts}


def _code_cells(notebook: Path) -> list[str]:
    """Return the code in a notebook; an empty file is how d2lbook says that there is no such edition."""
    text = notebook.read_text(encoding="utf-8") or '{"cells": []}'
    codes = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return [code for code in codes if code.strip()]


def normal_form(code: str) -> str:
    """Return code without what d2lbook changes on purpose: blank lines, save marks, the order of imports."""
    lines = [line.rstrip() for line in strip_save_marks(code).splitlines() if line.strip()]
    runs = itertools.groupby(lines, key=lambda line: line.startswith(("import ", "from ")))
    return "\n".join(line for are_imports, run in runs for line in (sorted(run) if are_imports else run))


def digests(cells: Cells) -> Digests:
    """Return the digests of the cells' normal forms."""
    return {
        name: {framework: [_digest(code) for code in codes] for framework, codes in by_framework.items()}
        for name, by_framework in cells.items()
    }


def _digest(code: str) -> str:
    return hashlib.sha256(normal_form(code).encode()).hexdigest()[:16]


def main() -> int:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", type=Path)
    parser.add_argument("--update", action="store_true", help="write golden/seeds.json")
    arguments = parser.parse_args()
    theirs, ours = d2lbook_cells(arguments.python), polybook_cells()
    if arguments.update:
        GOLDEN.write_text(json.dumps(digests(theirs), indent=2) + "\n", encoding="utf-8")
    differences = 0
    for name, framework in itertools.product(ours, FRAMEWORKS):
        both = [[normal_form(code) for code in cells[name].get(framework, [])] for cells in (ours, theirs)]
        for number, (mine, other) in enumerate(itertools.zip_longest(*both, fillvalue="")):
            if mine != other:
                differences += 1
                print(f"--- {name} {framework} cell {number}: polybook\n{mine}\n+++ d2lbook\n{other}")  # noqa: T201
        print(f"{name} {framework}: {len(both[0])} and {len(both[1])} cells")  # noqa: T201
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
