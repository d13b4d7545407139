"""Which cells train."""

from __future__ import annotations

import pytest

from polybook.training import cells_that_train

CELLS = {
    "a method": (["trainer.fit(model, data)"], [0]),
    "a function": (["x = 1", "d2l.train_ch8(net)", "train_ch8(net)"], [1, 2]),
    "inside other code": (["for rate in rates:\n    print(f(trainer.fit(x)))"], [0]),
    "by way of a function": (
        ["def run(x):\n    x.fit()", "run(1)", "def again():\n    run(2)", "again()"],
        [1, 3],
    ),
    "a definition alone": (
        ["def run(x):\n    x.fit()", "class A:\n    def fit(self):\n        self.fit()"],
        [],
    ),
    "in a function of a function": (
        ["def run(x):\n    def inner():\n        x.fit()\n    return inner", "run(1)"],
        [],
    ),
    "a name that is not called": (["trainer.fit", "'fit(x)'", "# fit(x)"], []),
    "later, perhaps": (["later = lambda: trainer.fit(x)"], []),
    "beside a magic": (["%matplotlib inline\ntrainer.fit(x)"], [0]),
    "no Python": (["fit(", "fit(x)"], [1]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("codes", "numbers"), CELLS.values(), ids=CELLS)
def test_cells_that_train(codes, numbers):
    assert cells_that_train(codes, ["fit", "train_ch8"]) == numbers


def test_without_names_none_trains():
    assert cells_that_train(["trainer.fit(x)"], []) == []
