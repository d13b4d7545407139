"""Curves: averaged, drawn in a notebook, told in words and numbers, printed by a script."""

import json
import math
import random
from xml.etree import ElementTree

import numpy as np
import pytest

SCRIPT = """
from {module} import ProgressBoard
board = ProgressBoard("epoch", "ppl")
for i in range(6):
    board.draw(i, 30 - i, "train_ppl", every_n=2)
for i in range(6):
    board.draw(i, 500 * i, "val_ppl")
board.show()
board.show()
quiet = ProgressBoard(display=False)
quiet.draw(0, 1, "a")
quiet.show()
ProgressBoard().show()
"""

TABLE = """\
ppl           points     first      last
train_ppl          3      29.5      25.5
val_ppl            6         0      2500
"""

#: What a kernel does, without one: IPython's shell has the attribute `kernel`, and outputs are published.
KERNEL = """
import json
from pathlib import Path
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
import {module} as d2l

Path.home().mkdir(exist_ok=True)
shell = InteractiveShell.instance()
shell.display_pub = publisher = CapturingDisplayPublisher()
outside = d2l.in_notebook()
shell.kernel = object()
clock = 0.0
d2l.time.monotonic = lambda: clock
board = d2l.ProgressBoard("x", "y")
for plot in range(2):
    for i in range(40):
        clock += 0.1
        board.draw(i, i + plot, "a")
    board.show()
    board.show()
print(json.dumps([outside, d2l.in_notebook(), publisher.outputs]))
"""


@pytest.fixture
def board(d2l):
    board = d2l.ProgressBoard("epoch", "ppl", display=False)
    for i in range(5):
        board.draw(i, 28 - 4 * i, "train_ppl")
        board.draw(i, 20.0 + i / 3, "val_ppl")
    return board


def test_a_point_is_the_mean_of_every_n(d2l):
    board = d2l.ProgressBoard(display=False)
    for x in range(7):
        board.draw(x, 10 * x, "a", every_n=3)
    assert board.curves == {"a": [(1, 10), (4, 40)]}


def test_the_transform_comes_after_the_mean(d2l):
    board = d2l.ProgressBoard(display=False)
    board.draw(0, math.log(1), "ppl", every_n=2, transform=math.exp)
    board.draw(1, math.log(4), "ppl", every_n=2, transform=math.exp)
    assert board.curves["ppl"] == [(0.5, pytest.approx(2))]


def test_a_point_after_the_end_begins_a_new_plot(board):
    board.show()
    board.draw(0, 1, "b")
    assert board.curves == {"b": [(0, 1)]}


def test_equal_curves_give_equal_images(d2l, board):
    again = d2l.ProgressBoard("epoch", "ppl", display=False)
    again.curves = dict(board.curves)
    assert board.svg() == board.svg() == again.svg()


def test_the_image_is_plain_svg_with_its_words_as_text(board):
    root = ElementTree.fromstring(board.svg())  # noqa: S314 - the text is our own
    words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"epoch", "ppl", "train_ppl", "val_ppl"} <= words
    assert "date" not in board.svg().lower()


def test_the_image_of_a_hundred_epochs_is_small(d2l):
    board = d2l.ProgressBoard("epoch", "ppl", display=False)
    noise = random.Random(0)  # noqa: S311 - no secret
    for i in range(200):
        board.draw(i / 2, 6 + 20 * math.exp(-i / 40) + noise.random(), "train_ppl")
    for epoch in range(100):
        board.draw(epoch + 1, 7 + 20 * math.exp(-epoch / 20) + noise.random(), "val_ppl")
    assert len(board.svg().encode()) < 40_000


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("values", [[], [1], [2, 2], [math.nan, 3], [1, math.inf, 2], [1e-9, 1e9]], ids=repr)
def test_unusual_curves_can_be_shown(d2l, scale, values):
    board = d2l.ProgressBoard(yscale=scale, display=False)
    for x, y in enumerate(values):
        board.draw(x, y, "ρ = 0.5")
    ElementTree.fromstring(board.svg())  # noqa: S314 - the text is our own
    json.dumps(board.numbers(), allow_nan=False)
    assert board.describe().endswith(".")


def test_curves_in_numbers(board):
    assert json.loads(json.dumps(board.numbers())) == {
        "xlabel": "epoch",
        "ylabel": "ppl",
        "curves": [
            {"name": "train_ppl", "x": [0, 1, 2, 3, 4], "y": [28, 24, 20, 16, 12], "unit": None},
            {"name": "val_ppl", "x": [0, 1, 2, 3, 4], "y": [20, 20.3333, 20.6667, 21, 21.3333], "unit": None},
        ],
    }


def test_curves_may_have_a_unit(d2l):
    board = d2l.ProgressBoard(display=False, unit="s")
    board.draw(0, 1, "a")
    assert board.numbers()["curves"][0]["unit"] == "s"


def test_what_is_no_number_is_none(d2l):
    board = d2l.ProgressBoard(display=False)
    for x, y in enumerate([1.23456789, math.inf, math.nan]):
        board.draw(x, y, "a")
    assert board.numbers()["curves"][0]["y"] == [1.23457, None, None]


def test_curves_in_words(board):
    assert board.describe() == (
        "Plot of ppl against epoch: train_ppl falls from 28 to 12; val_ppl rises from 20 to 21.3."
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.01234, "0.0123"), (999.4, "999"), (999.7, "1000"), (1234.5, "1234"), (2.5e7, "2.5e+07")],
)
def test_numbers_in_words_are_short(d2l, value, words):
    board = d2l.ProgressBoard(display=False)
    board.draw(0, value, "a")
    assert board.describe() == f"Plot of y against x: a goes from {words} to {words}."


def test_a_script_prints_one_table(module, run_script):
    assert run_script(SCRIPT.format(module=module)) == TABLE


def test_a_kernel_shows_one_display_a_plot_and_updates_it(module, run_script):
    outside, inside, outputs = json.loads(run_script(KERNEL.format(module=module)))
    assert (outside, inside) == (False, True)
    displays = [output["transient"]["display_id"] for output in outputs if not output["update"]]
    assert len(set(displays)) == len(displays) == 2
    for number, display in enumerate(displays):
        shown = [output for output in outputs if output["transient"]["display_id"] == display]
        assert not shown[0]["update"]
        assert all(output["update"] for output in shown[1:])
        assert 2 < len(shown) <= 4 / 0.5 + 1  # at most twice a second, and once at the end
        last = shown[-1]["data"]
        assert set(last) == {"image/svg+xml", "text/plain", "application/vnd.d2l.curves+json"}
        assert last["image/svg+xml"].startswith("<svg")
        assert last["text/plain"] == f"Plot of y against x: a rises from {number} to {39 + number}."
        assert len(last["application/vnd.d2l.curves+json"]["curves"][0]["y"]) == 40


#: Drawing takes some of the clock's time, and a minibatch a tenth of a second.
SLOW_DRAWING = """
import json
import types
import {module} as d2l

clock = shown = 0.0
d2l.time.monotonic = lambda: clock
d2l.in_notebook = lambda: True


class Board(d2l.ProgressBoard):
    def svg(self):
        global clock, shown
        clock, shown = clock + COST, shown + COST
        return "<svg>"


board = Board()
board.handle = types.SimpleNamespace(update=lambda bundle, raw: None)
for i in range(10_000):
    clock += 0.1
    board.draw(i, i, "a")
print(json.dumps([shown / clock, shown / COST]))
"""


@pytest.mark.parametrize(("cost", "times"), [(0.001, 1500), (0.05, 250), (1, 13)])
def test_drawing_takes_at_most_two_percent_of_the_time(module, run_script, cost, times):
    script = SLOW_DRAWING.format(module=module).replace("COST", str(cost))
    share, drawn = json.loads(run_script(script))
    assert share <= 0.02
    assert drawn >= times


def test_a_number_may_come_in_an_array(d2l):
    board = d2l.ProgressBoard(display=False)
    for x, y in ((1, d2l.ones(1)), (d2l.ones((1, 1)), np.array([3.0])), (np.float32(1), d2l.ones(1)[0])):
        board.draw(x, y, "a")
    assert board.curves == {"a": [(1, 1), (1, 3), (1, 1)]}
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        board.draw(1, np.ones(2), "a")


def test_a_board_without_points_says_so(d2l):
    assert d2l.ProgressBoard().describe() == "An empty plot."
