"""Running Sphinx: what it says becomes findings, what it writes is put in place."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from polybook.errors import RenderError
from polybook.languages import LANGUAGES
from polybook.pipeline.render import findings, publish, render, render_language
from polybook.pipeline.workers import Workers
from polybook.site.settings import Site, sphinx_settings

SOURCE = Path(__file__).parent / "site" / "source"
SETTINGS = sphinx_settings(Site("A", ("pytorch", "jax"), [LANGUAGES["en"]], {}), LANGUAGES["en"], "T")

LOG = """\
Running Sphinx v7.4.7
/book/_build/en/source/rnn.ipynb:20003: WARNING: undefined label: 'x'
/book/_build/en/source/rnn.ipynb:20003: WARNING: undefined label: 'x'
/book/_build/en/source/index.ipynb: WARNING: document isn't included in any toctree
WARNING: unknown config value 'y' in override, ignoring
build finished with problems, 4 warnings (with warnings treated as errors).
"""


def test_each_warning_is_a_finding_with_its_place():
    found = list(findings(LOG, Path("/book/_build/en/source"), Path("/book/_build/en/sphinx.log")))
    assert [(each.path, each.line, each.what) for each in found] == [
        ("rnn.ipynb", 20003, "undefined label: 'x'."),
        ("index.ipynb", 0, "document isn't included in any toctree."),
        ("/book/_build/en/sphinx.log", 0, "unknown config value 'y' in override, ignoring."),
    ]
    assert all("/book/_build/en/sphinx.log" in each.advice for each in found)


def test_places_in_pages_can_be_places_in_chapters():
    def locate(page, line):
        return page.replace(".ipynb", ".md"), line % 10000

    found = next(findings(LOG, Path("/book/_build/en/source"), Path("sphinx.log"), locate))
    assert str(found).startswith("rnn.md:3: B008 undefined label")


@pytest.fixture
def workers():
    """Processes for one language at a time."""
    with Workers() as found:
        yield found


@pytest.fixture
def build(tmp_path):
    shutil.copytree(SOURCE, tmp_path / "en" / "source")
    return tmp_path


def spoil(build):
    path = build / "en/source/rnn/plain.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"].append("\nSee {ref}`nowhere`.\n")
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_warning_is_found_again_and_again(build, workers):
    spoil(build)
    for _ in range(2):  # Sphinx itself forgets the warnings of pages it does not read again
        [found] = render(build / "en/source", build / "en/html", SETTINGS, workers)
        assert re.match(r"rnn/plain\.ipynb:\d+: B008 undefined label: 'nowhere'", str(found))
    assert "undefined label" in (build / "en/sphinx.log").read_text(encoding="utf-8")


BROKEN = {**SETTINGS, "extensions": [*SETTINGS["extensions"], "polybook_no_such_extension"]}


def test_a_language_with_a_warning_is_published_all_the_same(build, workers):
    spoil(build)
    [found] = render_language(build, "en", SETTINGS, workers)
    assert "undefined label" in found.what
    assert (build / "html/en/rnn/plain.html").exists()


def test_a_language_that_cannot_be_built_stays_as_it_was(build, workers):
    render_language(build, "en", SETTINGS, workers)
    before = (build / "html/en/rnn/plain.html").read_bytes()
    assert render_language(build, "en", BROKEN, workers)
    assert (build / "html/en/rnn/plain.html").read_bytes() == before


def test_a_crash_is_an_error(build, workers):
    with pytest.raises(RenderError, match="Could not import extension polybook_no_such_extension"):
        render(build / "en/source", build / "en/html", BROKEN, workers)


def test_publishing_touches_what_differs_and_removes_what_is_gone(tmp_path):
    output, folder = tmp_path / "output", tmp_path / "folder"
    (output / "a").mkdir(parents=True)
    (output / "same.html").write_text("same")
    (output / "a/changed.html").write_text("old")
    (output / "a/gone.html").write_text("gone")
    (output / "script.js.map").write_text("for debuggers")
    publish(output, folder)
    stamp = (folder / "same.html").stat().st_mtime_ns
    (output / "a/changed.html").write_text("new")
    (output / "a/gone.html").unlink()
    publish(output, folder)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")) == [
        "a/changed.html",
        "same.html",
    ]
    assert (folder / "a/changed.html").read_text() == "new"
    assert (folder / "same.html").stat().st_mtime_ns == stamp


def test_a_language_is_rendered_again_only_if_its_source_or_what_was_rendered_changed(build, workers):
    def is_rendered():
        log = build / "en/sphinx.log"
        log.write_text("not rendered")
        assert render_language(build, "en", SETTINGS, workers) == []
        assert page.exists()
        return log.read_text() != "not rendered"

    page, rendered = build / "html/en/index.html", build / "en/html/index.html"
    (build / "en").mkdir(exist_ok=True)
    assert is_rendered()
    assert not is_rendered()
    page.unlink()
    assert not is_rendered()
    rendered.unlink()
    assert is_rendered()
    add_sentence(build, "A new sentence.")
    assert is_rendered()
    assert "A new sentence." in (build / "html/en/rnn/plain.html").read_text(encoding="utf-8")


def test_a_kept_process_shows_what_changed(build, workers):
    for sentence in ("The first sentence.", "The second sentence."):
        add_sentence(build, sentence)
        assert render(build / "en/source", build / "en/html", SETTINGS, workers) == []
        assert sentence in (build / "en/html/rnn/plain.html").read_text(encoding="utf-8")


def test_a_process_that_is_gone_is_a_finding_and_the_next_build_is_right(build, workers, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", "/bin/false")
        with pytest.raises(RenderError, match="it said nothing"):
            render(build / "en/source", build / "en/html", SETTINGS, workers)
    assert render(build / "en/source", build / "en/html", SETTINGS, workers) == []


def add_sentence(build, sentence):
    path = build / "en/source/rnn/plain.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"].append(f"\n{sentence}\n")
    path.write_text(json.dumps(notebook), encoding="utf-8")
