"""The trainer, and the models in its hands."""

import math
import shutil
import sys

import pytest
import torch
from d2l import torch as d2l
from torch import nn


class Line(d2l.Module):
    """A linear regression."""

    def __init__(self, lr=0.1, **how_often):
        super().__init__(**how_often)
        self.save_hyperparameters()
        self.net = nn.Linear(2, 1)
        self.board.display = False

    def loss(self, Y_hat, Y):
        return (Y_hat - Y).pow(2).mean()


class Plane(d2l.DataModule):
    """Points of a plane; without `num_val` there is no validation."""

    def __init__(self, num_train=12, num_val=8, batch_size=4):
        super().__init__()
        self.save_hyperparameters()
        self.X = torch.randn(num_train + num_val, 2)
        self.Y = self.X @ torch.tensor([[2.0], [-3.4]]) + 4.2

    def get_dataloader(self, train):
        if not train and not self.num_val:
            return None
        part = slice(self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader([self.X, self.Y], train, part)


def norm(tensors):
    return math.sqrt(sum(tensor.pow(2).sum().item() for tensor in tensors))


def parameters(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def curves(make_model, data, seed, **how):
    torch.manual_seed(seed)
    model = make_model(len(data.vocab))
    model.board.display = False
    d2l.Trainer(**{"max_epochs": 3, "gradient_clip_val": 1} | how).fit(model, data)
    return model.board.curves


def test_every_parameter_changes_in_one_training_step(make_model, lines):
    data = lines(batch_size=64, num_train=64, num_val=8)
    model = make_model(len(data.vocab))
    model.board.display = False
    before = parameters(model)
    d2l.Trainer(max_epochs=1, gradient_clip_val=1).fit(model, data)
    after = parameters(model)
    assert before
    assert [name for name in before if torch.equal(before[name], after[name])] == []
    assert all(torch.isfinite(parameter).all() for parameter in after.values())


def test_training_lowers_the_perplexity(make_model, lines):
    data = lines(num_val=100)
    points = curves(make_model, data, seed=0, max_epochs=20)
    for name in ("train_ppl", "val_ppl"):
        first, last = points[name][0][1], points[name][-1][1]
        assert last < 0.75 * first, name


def test_the_same_seed_gives_the_same_curves(make_model, lines):
    data = lines(num_train=400, num_val=100)
    first = curves(make_model, data, seed=1)
    assert first == curves(make_model, data, seed=1)
    assert first != curves(make_model, data, seed=2)


def test_a_linear_regression_finds_the_plane():
    model = Line()
    d2l.Trainer(max_epochs=60).fit(model, Plane(num_train=100))
    torch.testing.assert_close(model.net.weight.data, torch.tensor([[2.0, -3.4]]), rtol=0, atol=1e-3)
    torch.testing.assert_close(model.net.bias.data, torch.tensor([4.2]), rtol=0, atol=1e-3)


def test_a_step_is_the_gradient_times_the_learning_rate():
    model, data = Line(lr=0.5), Plane(batch_size=12)
    before = parameters(model)
    model.loss(model(data.X[:12]), data.Y[:12]).backward()
    expected = {name: before[name] - 0.5 * p.grad for name, p in model.named_parameters()}
    d2l.Trainer(max_epochs=1).fit(model, data)
    torch.testing.assert_close(parameters(model), expected)


def test_layers_like_dropout_know_whether_they_are_trained():
    class Watched(Line):
        def forward(self, X):
            modes.append((self.training, torch.is_grad_enabled()))
            return super().forward(X)

    modes = []
    d2l.Trainer(max_epochs=2).fit(Watched(), Plane())
    assert modes == ([(True, True)] * 3 + [(False, False)] * 2) * 2


class TestClipping:
    @pytest.fixture
    def model(self, make_model):
        model = make_model(28)
        X, Y = torch.randint(28, (2, 4, 5))
        model.loss(model(X), Y).backward()
        return model

    def test_a_long_gradient_gets_the_norm_of_the_threshold_and_keeps_its_direction(self, model):
        before = [p.grad.clone() for p in model.parameters()]
        threshold = norm(before) / 10
        d2l.Trainer(max_epochs=1).clip_gradients(threshold, model)
        after = [p.grad for p in model.parameters()]
        assert norm(after) == pytest.approx(threshold, rel=1e-5)
        torch.testing.assert_close(after, [g / 10 for g in before])

    def test_a_short_gradient_is_untouched(self, model):
        before = [p.grad.clone() for p in model.parameters()]
        d2l.Trainer(max_epochs=1).clip_gradients(2 * norm(before), model)
        assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), before, strict=True))

    def test_a_parameter_without_gradient_does_not_matter(self, model):
        model.unused = nn.Parameter(torch.ones(3))
        d2l.Trainer(max_epochs=1).clip_gradients(1e-3, model)
        assert model.unused.grad is None
        assert norm(p.grad for p in model.parameters() if p.grad is not None) == pytest.approx(1e-3, rel=1e-4)

    @pytest.mark.parametrize(("threshold", "clipped"), [(0.01, True), (0, False), (1e6, False)])
    def test_the_trainer_clips_when_it_is_told_to(self, threshold, clipped):
        model = Line(lr=1)
        before = parameters(model)
        d2l.Trainer(max_epochs=1, gradient_clip_val=threshold).fit(model, Plane(batch_size=12))
        moved = norm(before[name] - p for name, p in parameters(model).items())
        assert (moved == pytest.approx(0.01, rel=1e-3)) == clipped
        assert clipped or moved > 0.1


class TestDevices:
    def test_without_a_gpu_the_cpu_trains(self, monkeypatch):
        monkeypatch.setattr(d2l, "num_gpus", lambda: 0)
        trainer, model = d2l.Trainer(max_epochs=1, num_gpus=1), Line()
        before = parameters(model)
        trainer.fit(model, Plane())
        assert trainer.gpus == []
        assert trainer.device == d2l.cpu() == d2l.try_gpu()
        assert {p.device.type for p in model.parameters()} == {"cpu"}
        assert not torch.equal(before["net.weight"], model.net.weight)

    def test_gpus_are_those_of_the_framework(self, monkeypatch):
        monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
        assert d2l.Trainer(max_epochs=1, num_gpus=1).gpus == [torch.device("mps", 0)]
        assert [d2l.try_gpu(), d2l.try_gpu(1), d2l.try_gpu(2)] == [d2l.gpu(0), d2l.gpu(1), d2l.cpu()]
        assert d2l.try_all_gpus() == [d2l.gpu(0), d2l.gpu(1)]

    @pytest.mark.skipif(not d2l.num_gpus(), reason="this machine has no GPU")
    def test_a_gpu_trains_and_writes(self, make_model, lines):
        data = lines(num_train=400, num_val=100)
        model = make_model(len(data.vocab))
        d2l.Trainer(max_epochs=1, num_gpus=1, gradient_clip_val=1).fit(model, data)
        assert {p.device.type for p in model.parameters()} == {d2l.gpu().type}
        assert model.predict("it", 5, data.vocab) == model.predict("it", 5, data.vocab, d2l.try_gpu())


class TestSwitches:
    def last(self, make_model, lines, **how):
        return curves(make_model, lines(num_train=400, num_val=100), seed=0, **how)["val_ppl"][-1][1]

    def test_mixed_precision_gives_nearly_the_same(self, make_model, lines):
        exact = self.last(make_model, lines)
        mixed = self.last(make_model, lines, mixed_precision=True)
        assert mixed != exact
        assert mixed == pytest.approx(exact, rel=0.02)

    def test_mixed_precision_is_for_products_and_not_for_parameters(self):
        class Watched(Line):
            def forward(self, X):
                seen.append(super().forward(X).dtype)
                return super().forward(X)

        seen, model = [], Watched()
        d2l.Trainer(max_epochs=1, mixed_precision=True).fit(model, Plane())
        assert set(seen) == {torch.bfloat16}
        assert {p.dtype for p in model.parameters()} == {p.grad.dtype for p in model.parameters()}
        assert {p.dtype for p in model.parameters()} == {torch.float32}

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, about itself
    @pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a C++ compiler")
    @pytest.mark.skipif(" " in sys.prefix, reason="PyTorch compiles nothing below a folder with a space")
    def test_a_compiled_model_gives_the_same(self):
        def last(**how):
            torch.manual_seed(0)
            model = Line()
            d2l.Trainer(max_epochs=2, **how).fit(model, Plane(num_train=8, num_val=4))
            return model.board.curves["val_loss"][-1][1]

        compiled = last(compile=True)
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
        assert compiled == pytest.approx(last(), rel=1e-4)


class TestSmoke:
    def test_a_long_training_ends_after_two_minibatches(self, make_model, lines, monkeypatch, capsys):
        monkeypatch.setenv("D2L_SMOKE", "1")
        data = lines(batch_size=8)
        model = make_model(len(data.vocab))
        trainer = d2l.Trainer(max_epochs=30)
        trainer.fit(model, data)
        assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 2)
        assert {len(points) for points in model.board.curves.values()} == {1, 2}
        assert "val_ppl" in capsys.readouterr().out

    def test_data_without_validation_will_do(self, monkeypatch):
        monkeypatch.setenv("D2L_SMOKE", "1")
        trainer = d2l.Trainer(max_epochs=5)
        trainer.fit(Line(), Plane(num_val=0))
        assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 0)

    @pytest.mark.parametrize("value", ["", "0"])
    def test_other_values_change_nothing(self, monkeypatch, value):
        monkeypatch.setenv("D2L_SMOKE", value)
        trainer = d2l.Trainer(max_epochs=2)
        trainer.fit(Line(), Plane())
        assert (trainer.train_batch_idx, trainer.val_batch_idx) == (6, 4)


class TestCurves:
    def test_have_the_wanted_number_of_points(self):
        model = Line()
        d2l.Trainer(max_epochs=3).fit(model, Plane(num_train=40, num_val=20))
        assert [len(model.board.curves[name]) for name in ("train_loss", "val_loss")] == [6, 3]
        assert [x for x, _ in model.board.curves["val_loss"]] == [1, 2, 3]

    def test_may_have_more_points(self):
        model = Line(plot_train_per_epoch=5, plot_valid_per_epoch=2)
        d2l.Trainer(max_epochs=3).fit(model, Plane(num_train=40, num_val=40))
        assert [len(model.board.curves[name]) for name in ("train_loss", "val_loss")] == [15, 6]

    def test_a_model_that_cannot_have_so_many_points_has_one_a_minibatch(self):
        model = Line()
        d2l.Trainer(max_epochs=3).fit(model, Plane(batch_size=100))
        assert [len(points) for points in model.board.curves.values()] == [3, 3]

    def test_a_second_training_begins_a_new_plot(self):
        model, data, trainer = Line(), Plane(), d2l.Trainer(max_epochs=2)
        trainer.fit(model, data)
        first = model.board.curves
        trainer.fit(model, data)
        assert [len(points) for points in model.board.curves.values()] == [6, 2]
        assert model.board.curves["val_loss"][-1][1] < first["val_loss"][-1][1]

    def test_an_interrupted_training_finishes_its_plot(self, capsys):
        class Impatient(Line):
            def validation_step(self, batch):
                super().validation_step(batch)
                if self.trainer.epoch == 1:
                    raise KeyboardInterrupt

        model = Impatient()
        model.board.display = True
        with pytest.raises(KeyboardInterrupt):
            d2l.Trainer(max_epochs=9).fit(model, Plane())
        assert model.board.finished
        assert "train_loss" in capsys.readouterr().out

    def test_data_without_validation_have_one_curve(self):
        model = Line()
        d2l.Trainer(max_epochs=2).fit(model, Plane(num_val=0))
        assert list(model.board.curves) == ["train_loss"]

    def test_a_training_that_diverges_can_be_shown(self):
        model = Line(lr=1e6)
        model.board.yscale = "log"
        d2l.Trainer(max_epochs=30).fit(model, Plane())
        assert not math.isfinite(model.board.curves["train_loss"][-1][1])
        assert model.board.numbers()["curves"][0]["y"][-1] is None
        assert model.board.svg().startswith("<svg")


def test_a_minibatch_may_have_several_inputs():
    class Sum(Line):
        def forward(self, X, Z):
            return super().forward(X) + Z

    class Three(Plane):
        def get_dataloader(self, train):
            return self.get_tensorloader([self.X, self.X[:, :1], self.Y], train)

    model = Sum()
    d2l.Trainer(max_epochs=2).fit(model, Three())
    assert len(model.board.curves["val_loss"]) == 2


def test_minibatches_cover_the_data_and_the_last_may_be_smaller():
    data = Plane(num_train=10, num_val=0, batch_size=4)
    batches = list(data.train_dataloader())
    assert [len(X) for X, _ in batches] == [4, 4, 2]
    assert len(data.train_dataloader()) == 3
    seen = torch.cat([torch.cat([X, Y], dim=1) for X, Y in batches])
    expected = torch.cat([data.X, data.Y], dim=1)
    assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, expected.tolist()))
