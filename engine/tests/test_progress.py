"""What is said of long work: what runs where, since when, and what is left."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from polybook.pipeline.progress import Progress
from polybook.pipeline.schedule import Slot

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def said(monkeypatch):
    """Makes what is written to a terminal, or to a file, and gives it."""

    def open_console(*, terminal: bool) -> io.StringIO:
        file = io.StringIO()
        console = Console(file=file, force_terminal=terminal, width=100)
        monkeypatch.setattr("polybook.pipeline.progress.Console", lambda stderr: console)
        return file

    return open_console


def work() -> None:
    with Progress("Running", 2) as progress:
        with progress.part("pytorch/rnn", 5) as part:
            part.begin("GPU 7")
            part.reach(3)
            part.say("its kernel died and gets a second try")
            part.begin("2 cores")
            part.outcome = "finished"
        with progress.part("jax/rnn", 1) as part:
            part.begin("1 core")
            part.outcome = "failed"


def test_a_line_for_each_event_where_there_is_no_terminal(said):
    file = said(terminal=False)

    work()

    assert file.getvalue().splitlines() == [
        "Running: pytorch/rnn begins on GPU 7",
        "Running: pytorch/rnn: its kernel died and gets a second try",
        "Running: pytorch/rnn begins on 2 cores",
        "Running: pytorch/rnn finished after 0 s; 1 left",
        "Running: jax/rnn begins on 1 core",
        "Running: jax/rnn failed after 0 s; nothing left",
    ]


def test_a_bar_for_each_run_on_a_terminal(said):
    file = said(terminal=True)

    work()

    shown = ESCAPES.sub("", file.getvalue()).replace("\r", "\n")
    assert re.search(r"^Running .* 0/2 0:00:00", shown, re.MULTILINE)
    assert re.search(r"^  pytorch/rnn on GPU 7 .* 0/5 0:00:00", shown, re.MULTILINE)
    assert re.search(r"^  pytorch/rnn on 2 cores .* 0/5 0:00:00", shown, re.MULTILINE)
    assert "Running: pytorch/rnn: its kernel died and gets a second try" in shown
    assert re.search(r"^Running: 1 left .* 1/2", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("slot", "name"),
    [(Slot((0, 1), "7"), "GPU 7"), (Slot((3,), None), "1 core"), (Slot((0, 2), None), "2 cores")],
)
def test_slots_have_names(slot, name):
    assert slot.name == name
