"""The tab selector in IPython sessions, with ipywidgets and without."""

from __future__ import annotations

import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

from polybook.frameworks import FRAMEWORKS


@pytest.fixture
def shell(monkeypatch):
    """A session in which a chapter is opened."""
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delitem(sys.modules, "d2lbook.tab", raising=False)
    InteractiveShell.clear_instance()
    session = InteractiveShell.instance()
    session.run_line_magic("load_ext", "polybook.tab")
    yield session
    InteractiveShell.clear_instance()


def run(shell, code):
    shell.run_cell(code).raise_error()


def test_a_cell_runs_if_its_framework_is_selected(shell, capsys):
    run(shell, "tab.interact_select('mxnet', 'pytorch')")
    assert capsys.readouterr().out == "mxnet of mxnet, pytorch; `tab.select(...)` chooses another.\n"
    run(shell, "%%tab pytorch\nx = 'pytorch'")
    assert "x" not in shell.user_ns
    run(shell, "%%tab mxnet,pytorch\nx = 1\ny = x + 1")
    assert shell.user_ns["y"] == 2
    run(shell, "tab.select('pytorch')")
    run(shell, "%%tab pytorch\nx = 'pytorch'")
    run(shell, "%%tab mxnet\nx = 'mxnet'")
    assert shell.user_ns["x"] == "pytorch"
    run(shell, "%%tab all\nx = 'all'")
    assert shell.user_ns["x"] == "all"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("'jax'", True),
        ("'pytorch', 'jax'", True),
        ("['pytorch', 'jax']", True),
        ("'all'", True),
        ("'pytorch'", False),
        ("", False),
    ],
)
def test_code_can_ask_what_is_selected(shell, question, answer):
    run(shell, "tab.interact_select(['jax', 'pytorch'])")
    run(shell, f"answer = tab.selected({question})")
    assert shell.user_ns["answer"] is answer


def test_a_choice_outlasts_the_cell_that_offers_it(shell):
    for _ in range(2):
        run(
            shell,
            "tab.interact_select('jax', 'pytorch')\nwas = tab.selected('pytorch')\ntab.select('pytorch')",
        )
    assert shell.user_ns["was"] is True


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("tab.selected('jax')", "No framework is chosen. Call `tab.interact_select('pytorch', ...)` first."),
        (
            "tab.interact_select('torch')",
            f"There is no framework `torch`. Known: {', '.join(FRAMEWORKS)}.",
        ),
        (
            "tab.interact_select()",
            "`interact_select` needs the name of a framework, for example 'pytorch'.",
        ),
        ("tab.select('jax')", "`jax` is not among the frameworks offered: nothing yet; call"),
    ],
)
def test_a_mistake_is_one_line(shell, capsys, code, message):
    shell.run_cell(code)
    printed = capsys.readouterr()
    assert f"UsageError: {message}" in printed.out + printed.err
    assert "Traceback" not in printed.out + printed.err


def test_chapters_for_d2lbook_get_it_once_it_is_loaded(shell):
    shell.run_line_magic("load_ext", "d2lbook.tab")
    run(shell, "tab.interact_select('jax')")


def test_a_menu_where_there_are_ipywidgets(shell, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipywidgets")
    widgets = pytest.importorskip("ipywidgets")
    made = []
    monkeypatch.setattr(widgets, "interact", lambda choose, name: made.append((choose, name)))
    run(shell, "tab.interact_select('jax', 'pytorch')")
    ((choose, menu),) = made
    assert menu.options == (("JAX", "jax"), ("PyTorch", "pytorch"))
    assert menu.value == "jax"
    choose("pytorch")
    assert shell.user_ns["tab"].selected("pytorch")
