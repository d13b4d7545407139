"""What measures and shows a training: a stopwatch, sums, and a plot that grows."""

import json

import numpy as np
import pytest

SCRIPT = """
from {module} import Animator
animator = Animator("epoch", "ppl", legend=["train_ppl", "val_ppl"])
for epoch in range(3):
    animator.add(epoch, (30 - epoch, None if epoch else 28))
print("still running")
"""

#: A cell in which old code draws, in a shell that has what makes it a kernel's.
KERNEL = """
import json
from pathlib import Path
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
import {module} as d2l

Path.home().mkdir(exist_ok=True)  # Keras has made it already
shell = InteractiveShell.instance()
shell.display_pub = publisher = CapturingDisplayPublisher()
shell.kernel = object()
shell.user_ns["d2l"] = d2l
cell = '''
animator = d2l.Animator(xlabel='epoch', ylabel='loss', legend=['train', 'test'])
for i in range(300):
    animator.add(i + 1, (300 - i, i))
'''
ends = ["", "raise KeyboardInterrupt", "animator.show()"]
counts = []
for end in ends:
    shell.run_cell(cell + end)
    counts.append(len(publisher.outputs))
shell.run_cell("1")
hooks = [hook for hook in shell.events.callbacks["post_run_cell"] if "d2l" in hook.__module__]
print()
print(json.dumps([counts, publisher.outputs, len(hooks)]))
"""


def test_a_stopwatch_keeps_laps(d2l, monkeypatch):
    now = iter([10.0, 12.0, 20.0, 25.0])
    monkeypatch.setattr(d2l.time, "perf_counter", lambda: next(now))
    timer = d2l.Timer()
    assert timer.stop() == 2
    timer.start()
    assert timer.stop() == 5
    assert timer.times == [2, 5]
    assert (timer.sum(), timer.avg(), timer.cumsum()) == (7, 3.5, [2, 7])


def test_sums_of_several_quantities(d2l):
    metric = d2l.Accumulator(2)
    metric.add(1, 10)
    metric.add(0.5, 20)
    assert (metric[0], metric[1]) == (1.5, 30)
    with pytest.raises(ValueError, match="shorter"):
        metric.add(1)
    metric.reset()
    assert (metric[0], metric[1]) == (0, 0)


def test_a_sum_takes_an_array_with_one_entry(d2l, wrap):
    metric = d2l.Accumulator(2)
    metric.add(wrap([1.5]), wrap(2.0))
    metric.add(wrap(1.5), 3)
    assert (metric[0], metric[1]) == (3, 5)
    with pytest.raises(TypeError):
        metric.add(wrap([1.0, 2.0]), 1)


@pytest.fixture(params=["numpy", "framework"])
def wrap(request, d2l):
    """Makes an array of numbers, of NumPy or of the framework."""
    return np.array if request.param == "numpy" else d2l.tensor


class TestAnimator:
    @pytest.fixture(autouse=True)
    def silent(self, d2l, monkeypatch):
        monkeypatch.setattr(d2l, "when_done", lambda function: None)

    def test_draws_points_into_a_board(self, d2l):
        animator = d2l.Animator(
            "epoch", "ppl", legend=["train", "test"], xlim=[1, 3], yscale="log", figsize=(3, 2)
        )
        animator.add(1, (3.0, 4.0))
        animator.add(2, [2.5, None])
        animator.add(3, 2.0)
        assert animator.board.curves == {"train": [(1, 3), (2, 2.5), (3, 2)], "test": [(1, 4)]}
        board = animator.board
        assert (board.xlabel, board.ylabel, board.xlim, board.yscale) == ("epoch", "ppl", [1, 3], "log")
        assert board.svg().startswith("<svg")
        assert (
            board.describe() == "Plot of ppl against epoch: train falls from 3 to 2; test goes from 4 to 4."
        )

    def test_takes_a_place_for_each_curve_and_names_what_has_no_name(self, d2l):
        animator = d2l.Animator(legend="a", nrows=1, ncols=2)
        animator.add([1, 2], [5, 6])
        assert animator.board.curves == {"a": [(1, 5)], "y1": [(2, 6)]}

    def test_an_array_does_for_a_list(self, d2l, wrap):
        animator = d2l.Animator(legend=["a", "b"])
        animator.add(1, wrap([5.0, 6.0]))
        animator.add(wrap([2.0, 3.0]), wrap([7.0, 8.0]))
        animator.add(wrap(4.0), (wrap(9.0), None))
        assert animator.board.curves == {"a": [(1, 5), (2, 7), (4, 9)], "b": [(1, 6), (3, 8)]}

    def test_understands_the_short_notation_of_styles(self, d2l):
        board = d2l.Animator(fmts=("-", "m--", "g-.", "r:", "bo")).board
        assert board.ls == ["-", "--", "-.", ":", "-"]
        assert board.colors[1:] == ["m", "g", "r", "b"]
        assert board.colors[0] == d2l.ProgressBoard().colors[0]


def test_a_script_prints_the_table_at_its_end(module, run_script):
    assert run_script(SCRIPT.format(module=module)).splitlines() == [
        "still running",
        "ppl           points     first      last",
        "train_ppl          3        30        28",
        "val_ppl            1        28        28",
    ]


def test_a_cell_leaves_one_finished_plot_however_it_ends(module, run_script):
    printed = run_script(KERNEL.format(module=module)).splitlines()[-1]
    counts, outputs, hooks = json.loads(printed)
    assert hooks == 0
    displays = {output["transient"]["display_id"] for output in outputs}
    assert len(displays) == 3
    for count, before in zip(counts, [0, *counts], strict=False):
        assert count - before < 20
        last = outputs[count - 1]["data"]
        assert last["image/svg+xml"].startswith("<svg")
        assert (
            last["text/plain"]
            == "Plot of loss against epoch: train falls from 300 to 1; test rises from 0 to 299."
        )
        curves = last["application/vnd.d2l.curves+json"]["curves"]
        assert [(curve["name"], len(curve["y"])) for curve in curves] == [("train", 300), ("test", 300)]
