"""What a training draws on the board of its model, in every framework."""

import math

import pytest


@pytest.mark.parametrize(
    ("sizes", "points"),
    [
        ({"num_train": 40, "num_val": 20}, [6, 3]),
        ({"batch_size": 100}, [3, 3]),  # there cannot be more points than minibatches
        ({"num_train": 20}, [7, 3]),  # of 3 times 5 minibatches, 2 to a point
    ],
)
def test_there_are_as_many_points_as_wanted_and_possible(d2l, Line, Plane, sizes, points):
    model = Line()
    d2l.Trainer(max_epochs=3).fit(model, Plane(**sizes))
    curves = model.board.curves
    assert [len(curves[name]) for name in ("train_loss", "val_loss")] == points
    assert [x for x, _ in curves["val_loss"]] == [1, 2, 3]


def test_there_may_be_more_points(d2l, Line, Plane):
    model = Line(plot_train_per_epoch=5, plot_valid_per_epoch=2)
    d2l.Trainer(max_epochs=3).fit(model, Plane(num_train=40, num_val=40))
    assert [len(model.board.curves[name]) for name in ("train_loss", "val_loss")] == [15, 6]


def test_a_second_training_begins_a_new_plot(d2l, Line, Plane):
    model, data, trainer = Line(), Plane(), d2l.Trainer(max_epochs=2)
    trainer.fit(model, data)
    first = model.board.curves
    trainer.fit(model, data)
    assert [len(points) for points in model.board.curves.values()] == [6, 2]
    assert model.board.curves["val_loss"][-1][1] < first["val_loss"][-1][1]


def test_an_interrupted_training_finishes_its_plot(d2l, Line, Plane, capsys):
    class Impatient(d2l.Trainer):
        def fit_epoch(self):
            super().fit_epoch()
            if self.epoch == 1:
                raise KeyboardInterrupt

    model = Line()
    model.board.display = True
    with pytest.raises(KeyboardInterrupt):
        Impatient(max_epochs=9).fit(model, Plane())
    assert model.board.finished
    assert "train_loss" in capsys.readouterr().out


def test_data_without_validation_have_one_curve(d2l, Line, Plane):
    model = Line()
    d2l.Trainer(max_epochs=2).fit(model, Plane(num_val=0))
    assert list(model.board.curves) == ["train_loss"]


def test_a_step_may_plot_several_values_or_none(d2l, Line, Plane):
    class Talkative(Line):
        def training_step(self, batch):
            l = super().training_step(batch)  # noqa: E741 - the chapters' name
            self.plot("root", l, train=True, transform=math.sqrt)
            self.plot("rate", self.lr, train=True)  # no tensor: the same in each step
            return l

        def validation_step(self, batch):
            pass

    model = Talkative()
    d2l.Trainer(max_epochs=2).fit(model, Plane(batch_size=12))
    loss, root = (model.board.curves[name] for name in ("train_loss", "train_root"))
    assert root == [(x, pytest.approx(math.sqrt(y))) for x, y in loss]
    assert model.board.curves["train_rate"] == [(x, pytest.approx(model.lr)) for x, _ in loss]
    assert list(model.board.curves) == ["train_loss", "train_root", "train_rate"]


def test_a_training_that_diverges_can_be_shown(d2l, Line, Plane):
    model = Line(lr=1e6)
    model.board.yscale = "log"
    d2l.Trainer(max_epochs=30).fit(model, Plane())
    assert not math.isfinite(model.board.curves["train_loss"][-1][1])
    assert model.board.numbers()["curves"][0]["y"][-1] is None
    assert model.board.svg().startswith("<svg")
