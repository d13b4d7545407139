"""The trainer, and the models in its hands."""

import math

import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np, npx


class Line(d2l.Module):
    """A linear regression."""

    def __init__(self, lr=0.1, **how_often):
        super().__init__(**how_often)
        self.save_hyperparameters()
        self.net = gluon.nn.Dense(1, in_units=2)
        self.board.display = False

    def loss(self, Y_hat, Y):
        return ((Y_hat - Y) ** 2).mean()


class Plane(d2l.DataModule):
    """Points of a plane; without `num_val` there is no validation."""

    def __init__(self, num_train=12, num_val=8, batch_size=4):
        super().__init__()
        self.save_hyperparameters()
        self.X = np.random.normal(size=(num_train + num_val, 2))
        self.Y = self.X @ np.array([[2.0], [-3.4]]) + 4.2

    def get_dataloader(self, train):
        if not train and not self.num_val:
            return None
        part = slice(self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader([self.X, self.Y], train, part)


def norm(arrays):
    return math.sqrt(sum((array**2).sum().item() for array in arrays))


def parameters(model):
    return {name: parameter.data().copy() for name, parameter in model.collect_params().items()}


def gradients(model):
    return [parameter.grad() for parameter in model.collect_params().values()]


def assert_close(one, other, atol=1e-6):
    assert all(np.allclose(a, b, rtol=1e-5, atol=atol) for a, b in zip(one, other, strict=True))


def curves(make_model, data, seed, **how):
    npx.random.seed(seed)
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
    assert [name for name in before if (before[name] == after[name]).all()] == []
    assert all(np.isfinite(parameter).all() for parameter in after.values())


def test_training_lowers_the_perplexity(make_model, lines):
    data = lines(num_val=100)
    points = curves(make_model, data, seed=0, max_epochs=30)
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
    found = [model.net.weight.data(), model.net.bias.data()]
    assert_close(found, [np.array([[2.0, -3.4]]), np.array([4.2])], atol=1e-3)


def test_a_step_is_the_gradient_times_the_learning_rate():
    model, data = Line(lr=0.5), Plane(batch_size=12)
    before = parameters(model)
    with autograd.record():
        loss = model.loss(model(data.X[:12]), data.Y[:12])
    loss.backward()
    expected = [old - 0.5 * g for old, g in zip(before.values(), gradients(model), strict=True)]
    d2l.Trainer(max_epochs=1).fit(model, data)
    assert_close(parameters(model).values(), expected)


def test_layers_like_dropout_know_whether_they_are_trained():
    class Watched(Line):
        def forward(self, X):
            modes.append((autograd.is_training(), autograd.is_recording()))
            return super().forward(X)

    modes = []
    d2l.Trainer(max_epochs=2).fit(Watched(), Plane())
    assert modes == ([(True, True)] * 3 + [(False, False)] * 2) * 2


class TestClipping:
    @pytest.fixture
    def model(self, make_model):
        model = make_model(28)
        X, Y = np.random.randint(28, size=(2, 4, 5), dtype="int32")
        with autograd.record():
            loss = model.loss(model(X), Y)
        loss.backward()
        return model

    def test_a_long_gradient_gets_the_norm_of_the_threshold_and_keeps_its_direction(self, model):
        before = [g.copy() for g in gradients(model)]
        threshold = norm(before) / 10
        d2l.Trainer(max_epochs=1).clip_gradients(threshold, model)
        assert norm(gradients(model)) == pytest.approx(threshold, rel=1e-5)
        assert_close(gradients(model), [g / 10 for g in before])

    def test_a_short_gradient_is_untouched(self, model):
        before = [g.copy() for g in gradients(model)]
        d2l.Trainer(max_epochs=1).clip_gradients(2 * norm(before), model)
        assert_close(gradients(model), before, atol=0)

    def test_a_parameter_without_gradient_does_not_matter(self, model):
        model.fixed = model.params.get("fixed", shape=3, init="ones", grad_req="null")
        model.fixed.initialize()
        d2l.Trainer(max_epochs=1).clip_gradients(1e-3, model)
        rest = [p.grad() for p in model.collect_params().values() if p.grad_req != "null"]
        assert norm(rest) == pytest.approx(1e-3, rel=1e-4)

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
        assert {str(ctx) for ctx in model.collect_params().list_ctx()} == {"cpu(0)"}
        assert not (before[model.net.weight.name] == model.net.weight.data()).any()

    def test_a_gpu_is_used_if_asked_for_and_present(self, monkeypatch):
        monkeypatch.setattr(d2l, "num_gpus", lambda: 2)
        assert d2l.Trainer(max_epochs=1).gpus == []
        assert d2l.Trainer(max_epochs=1, num_gpus=1).gpus == [d2l.gpu(0)]
        with pytest.raises(ValueError, match="must be 0 or 1"):
            d2l.Trainer(max_epochs=1, num_gpus=2)
        assert [d2l.try_gpu(), d2l.try_gpu(1), d2l.try_gpu(2)] == [d2l.gpu(0), d2l.gpu(1), d2l.cpu()]

    @pytest.mark.skipif(not npx.num_gpus(), reason="this machine has no GPU")
    def test_a_gpu_trains_and_writes(self, make_model, lines):
        data = lines(num_train=400, num_val=100)
        model = make_model(len(data.vocab))
        d2l.Trainer(max_epochs=1, num_gpus=1, gradient_clip_val=1).fit(model, data)
        assert {ctx.device_type for ctx in model.collect_params().list_ctx()} == {"gpu"}
        assert model.predict("it", 5, data.vocab) == model.predict("it", 5, data.vocab, d2l.try_gpu())


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
    seen = np.concatenate([np.concatenate([X, Y], axis=1) for X, Y in batches])
    expected = np.concatenate([data.X, data.Y], axis=1)
    assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, expected.tolist()))


def test_training_minibatches_come_in_a_new_order_in_each_epoch_that_the_seed_decides(lines):
    def orders():
        npx.random.seed(5)
        data = lines_data.train_dataloader()
        return [np.concatenate([X for X, _ in data]).tolist() for _ in range(2)]

    lines_data = lines(num_train=200, num_val=50)
    first, second = orders()
    assert first != second
    assert sorted(first) == sorted(second) == sorted(lines_data.X[:200].tolist())
    assert orders() == [first, second]
    val = [X for X, _ in lines_data.val_dataloader()]
    start = 200 + lines_data.num_steps
    assert np.concatenate(val).tolist() == lines_data.X[start : start + 50].tolist()


def test_a_layer_that_takes_no_part_is_an_error_and_no_silence():
    model = Line()
    model.unused = [gluon.nn.Dense(1, in_units=2)]
    model.unused[0].initialize()
    with pytest.raises(UserWarning, match="has not been updated"):
        d2l.Trainer(max_epochs=1).fit(model, Plane())
