"""The book itself: its chapters, what was stored of running them, and its notebooks."""

from __future__ import annotations

import json
import math
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from polybook.dialect.python import without_comments
from polybook.languages import LANGUAGES
from polybook.model import Prose
from polybook.pipeline.book import load_book
from polybook.pipeline.units import find_units
from polybook.site.plots import describe
from polybook.store import Store

ROOT = Path(__file__).parents[1]
FRAMEWORKS = load_book(ROOT).config.frameworks
TAGS = ("en", "pt", "zh", "fr")
TIME_MACHINE = {"timemachine.txt": "090b5e7e70c295757f55df93cb0a180b9691891a"}
NUMBER = re.compile(r"-?\d[\d.]*(?:e[+-]?\d+)?(?<!\.)")
CURVES = "application/vnd.d2l.curves+json"


@pytest.fixture(scope="module")
def runs(book):
    """Everything that has been run, with what is stored of it: (unit, record)."""
    store = Store(ROOT / "outputs")
    found = []
    runs = [(unit, store.load(unit.framework, unit.chapter.name, found.append)) for unit in find_units(book)]
    assert found == []
    return runs


def test_nothing_is_wrong(polybook):
    checked = polybook("check", "--json")
    assert json.loads(checked.stdout) == []
    assert checked.returncode == 0, checked.stderr


def test_the_library_is_what_the_chapters_say(polybook):
    checked = polybook("library", "--check")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_aliases_are_the_same_in_every_framework_and_tested(book):
    names = {framework: sorted(book.config.aliases[framework]) for framework in FRAMEWORKS}
    assert names == dict.fromkeys(FRAMEWORKS, names[FRAMEWORKS[0]])
    tests = (ROOT / "tests" / "library" / "test_aliases.py").read_text(encoding="utf-8")
    assert [name for name in names[FRAMEWORKS[0]] if f"d2l.{name}" not in tests] == []


def test_every_chapter_is_there_in_every_language(book):
    assert tuple(book.config.languages) == TAGS
    for tag in TAGS:
        assert sorted(book.translated[tag]) == sorted(book.toc.chapters), tag


def test_french_signs_keep_their_spaces_at_the_ends_of_lines(book):
    code = re.compile(r"`[^`]*`|\$[^$]*\$")
    torn = re.compile(r"[ \n](?=[;:!?»](?:[ \n]|$))|(?<=«)[ \n]")
    for chapter in book.translated["fr"].values():
        for block in chapter.document.blocks:
            text = code.sub("", block.source) if isinstance(block, Prose) else ""
            assert not torn.search(text), (chapter.document.path, block.line)


def test_every_result_is_fresh(polybook):
    status = polybook("status", "--json")
    assert status.returncode == 0, status.stderr
    assert [each for each in json.loads(status.stdout) if each["state"] != "fresh"] == []


def test_results_come_from_the_time_machine(runs):
    for unit, record in runs:
        reads = any("TimeMachine(" in code or "load_data_time_machine(" in code for code in unit.codes)
        assert record.provenance.data == (TIME_MACHINE if reads else {}), unit


def test_no_cell_ended_in_an_error(runs):
    for unit, record in runs:
        outputs = [output for cell in record.cells for output in cell.outputs]
        assert [each for each in outputs if each["output_type"] == "error"] == [], unit
        assert not any("Traceback" in each.get("text", "") for each in outputs), unit


def test_no_framework_talks_to_its_developers_on_a_page(runs):
    for unit, record in runs:
        said = [
            output["text"]
            for cell in record.cells
            for output in cell.outputs
            if output.get("name") == "stderr"
        ]
        assert said == [], unit


def test_every_training_has_a_plot_with_its_curves(runs):
    count = 0
    for unit, record in runs:
        for number in unit.outline.training:
            count += 1
            outputs = record.cells[number].outputs
            plots = [output["data"] for output in outputs if CURVES in output.get("data", {})]
            assert plots, (unit, unit.codes[number])
            for plot in plots:
                assert "image/svg+xml" in plot
                assert all(len(curve["x"]) == len(curve["y"]) > 1 for curve in plot[CURVES]["curves"])
    assert count >= 6 * len(FRAMEWORKS)


def test_readers_without_a_kernel_see_what_a_slider_would_show(runs):
    sliders = set()
    for unit, record in runs:
        for place, code in enumerate(unit.codes):
            if re.search(r"^interact\(", code, re.MULTILINE):
                sliders.add(unit.chapter.name)
                assert not record.cells[place].outputs, unit
                outputs = record.cells[place - 1].outputs
                assert any("image/svg+xml" in output.get("data", {}) for output in outputs), unit
    assert sliders == {"language-model", "rnn-concise", "lstm"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_two_layers_predict_better_than_one(runs, framework):
    record = next(
        record for unit, record in runs if (unit.framework, unit.chapter.name) == (framework, "deep-rnn")
    )
    last = [
        curve["y"][-1]
        for cell in record.cells
        for output in cell.outputs
        for curve in output.get("data", {}).get(CURVES, {}).get("curves", ())
        if curve["name"] == "val_ppl"
    ]
    one_layer, two_layers, gated = last
    assert all(math.isfinite(perplexity) for perplexity in last)
    assert max(two_layers, gated) < min(6.5, one_layer)


@pytest.mark.parametrize("tag", TAGS)
def test_the_speeds_on_a_page_are_those_that_were_measured(book, tag):
    text = (ROOT / book.translated[tag]["rnn-concise"].document.path).read_text(encoding="utf-8")
    table = re.findall(r"^\| (32|256) \| (.*) \|$", text, re.MULTILINE)
    shown = [(int(hiddens), tokens(cell)) for hiddens, cells in table for cell in cells.split(" | ")]
    measured = json.loads((ROOT / "benchmarks" / "devices.json").read_text(encoding="utf-8"))
    rates = [(row["hiddens"], float(f"{row['tokens'] / row['seconds']:.2g}")) for row in measured]
    assert shown == [(hiddens, pytest.approx(rate)) for hiddens, rate in rates]
    for row in measured:
        assert f"PyTorch {row['version']}" in text
        assert " ".join(row["device"].split(",")[0].split()[:2]) in text


def tokens(cell: str) -> float:
    """Return the number that a cell such as `1,8 milhão` or `180 万` means."""
    number, unit = cell.split(" ")
    return float(number.replace(",", ".")) * (1e4 if unit == "万" else 1e6)


@pytest.fixture(scope="module")
def notebooks(polybook):
    """The notebooks' contents by language, framework and chapter."""
    written = polybook("notebooks")
    assert written.returncode == 0, written.stdout + written.stderr
    folder = ROOT / "_build" / "notebooks" / "jupyter"
    return {
        path.relative_to(folder).with_suffix("").parts: path.read_text(encoding="utf-8")
        for path in folder.rglob("*.ipynb")
    }


def test_there_is_a_notebook_for_each_language_framework_and_chapter(notebooks, book):
    assert sorted(notebooks) == sorted(
        (tag, framework, *name.split("/"))
        for tag in TAGS
        for name, chapter in book.shown(tag).items()
        for framework in book.frameworks_of(chapter)
    )


def test_notebooks_are_valid_and_know_no_dialect(notebooks, find_dialect):
    for place, text in notebooks.items():
        nbformat.validate(nbformat.reads(text, as_version=nbformat.NO_CONVERT))
        assert find_dialect(text) == [], place


def test_the_code_is_the_same_in_every_language(notebooks):
    for (language, *place), text in notebooks.items():
        if language != TAGS[0]:
            assert codes(text) == codes(notebooks[TAGS[0], *place]), (language, *place)


def codes(notebook: str) -> list[str]:
    """Return the code cells without comments."""
    cells = json.loads(notebook)["cells"]
    return [without_comments("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]


def test_both_ways_of_training_are_there_in_every_framework(book):
    for framework in FRAMEWORKS:
        codes = [code for unit in find_units(book) if unit.framework == framework for code in unit.codes]
        for call in ("d2l.Trainer(", ".fit(", "train_ch8("):
            assert any(call in code for code in codes), (framework, call)


@pytest.mark.slow
def test_every_chapter_runs_and_smoke_stores_nothing(polybook, book):
    present = [name for name in FRAMEWORKS if (ROOT / ".venvs" / name / "bin" / "python").is_file()]
    if not present:
        pytest.skip("there is no environment in .venvs; `make .venvs/pytorch/ready.stamp` makes one")
    before = stored()
    run = polybook("execute", "--smoke", "-j", "2", *(f"--framework={name}" for name in present))
    assert run.returncode == 0, run.stdout + run.stderr
    count = sum(unit.framework in present for unit in find_units(book))
    assert count >= len(present) * (len(book.toc.chapters) - 2)  # all but the first page and the works cited
    assert f"{count} run, 0 fresh already, 0 failed." in run.stdout
    assert stored() == before


@pytest.mark.slow
def test_nbval_passes(notebooks, framework="pytorch"):
    """One framework for all: smoke has run the same cells in each, and `make nbval` takes minutes."""
    if not (ROOT / ".venvs" / framework / "bin" / "python").is_file():
        pytest.skip(f"there is no .venvs/{framework}; `make .venvs/{framework}/ready.stamp` makes it")
    run = subprocess.run(
        ["make", f"nbval-{framework}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def stored() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (ROOT / "outputs").rglob("*") if path.is_file()}


def test_plots_are_described_as_their_authors_did_and_in_every_language(book, runs):
    cells = [cell for _, record in runs if record for cell in record.cells]
    plots = [output["data"] for cell in cells for output in cell.outputs if CURVES in output.get("data", {})]
    assert plots
    for data in plots:
        plot = data[CURVES]
        ours, theirs = describe(plot, LANGUAGES["en"], {}), data["text/plain"]
        assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
        numbers = [[float(number) for number in NUMBER.findall(text)] for text in (ours, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.01)  # the curves have six digits, rounded
        words = [plot["xlabel"], plot["ylabel"], *(curve["name"] for curve in plot["curves"])]
        for tag in book.config.translations:
            known = book.terms.in_plots(tag)
            assert [word for word in words if re.search("[a-z]{2}", word or "") and word not in known] == []
