"""The trainer, and the models in its hands."""

import math

import numpy as np
import pytest
import tensorflow as tf
from d2l import tensorflow as d2l


class Line(d2l.Module):
    """A linear regression."""

    def __init__(self, lr=0.1, **how_often):
        super().__init__(**how_often)
        self.save_hyperparameters()
        self.net = tf.keras.layers.Dense(1)
        self.net.build((None, 2))
        self.board.display = False

    def loss(self, Y_hat, Y):
        return tf.reduce_mean((Y_hat - Y) ** 2)


class Plane(d2l.DataModule):
    """Points of a plane; without `num_val` there is no validation."""

    def __init__(self, num_train=12, num_val=8, batch_size=4):
        super().__init__()
        self.save_hyperparameters()
        self.X = tf.random.normal((num_train + num_val, 2))
        self.Y = self.X @ tf.constant([[2.0], [-3.4]]) + 4.2

    def get_dataloader(self, train):
        if not train and not self.num_val:
            return None
        part = slice(self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader([self.X, self.Y], train, part)


def norm(arrays):
    return math.sqrt(sum(float(np.sum(np.square(array))) for array in arrays))


def parameters(model):
    return [parameter.numpy() for parameter in model.trainable_variables]


def moves(before, model):
    return [after - old for old, after in zip(before, parameters(model), strict=True)]


def curves(make_model, data, seed, **how):
    tf.keras.utils.set_random_seed(seed)
    model = make_model(len(data.vocab))
    d2l.Trainer(**{"max_epochs": 3, "gradient_clip_val": 1} | how).fit(model, data)
    return model.board.curves


class TestParameters:
    def test_every_one_changes_in_one_training_step(self, make_model, lines):
        data = lines(batch_size=64, num_train=64, num_val=8)
        model = make_model(len(data.vocab))
        before = parameters(model)
        d2l.Trainer(max_epochs=1, gradient_clip_val=1).fit(model, data)
        assert before
        assert all(np.any(move) and np.all(np.isfinite(move)) for move in moves(before, model))

    def test_are_found_wherever_they_are(self):
        class Nest(d2l.Module):
            def __init__(self):
                super().__init__()
                self.save_hyperparameters()
                self.variable = tf.Variable(1.0)
                self.inner = Line()
                self.several = [tf.Variable(2.0), {"layer": tf.keras.layers.Dense(3)}, (Line(), 7)]
                self.several[1]["layer"].build((None, 2))
                self.fixed = tf.Variable(0.0, trainable=False)
                self.again = self.variable

        nest = Nest()
        assert len(nest.trainable_variables) == 1 + 2 + 1 + 2 + 2
        nest.eval()
        assert not nest.training
        assert not nest.inner.training

    def test_of_layers_that_are_built_in_the_first_step_are_trained(self):
        class Lazy(Line):
            def __init__(self):
                super().__init__()
                self.net = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])

        lazy = Lazy()
        d2l.Trainer(max_epochs=30).fit(lazy, Plane(num_train=40))
        assert len(lazy.trainable_variables) == 4
        assert lazy.board.curves["val_loss"][-1][1] < 0.1 * lazy.board.curves["val_loss"][0][1]


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


def test_a_step_is_traced_once_for_each_size_of_a_minibatch(make_model, lines):
    data = lines(batch_size=32, num_train=80, num_val=72)  # 32, 32, 16 and 32, 32, 8
    model = make_model(len(data.vocab))
    forward, traced = model.forward, []

    def watched(X, *state):
        assert tf.inside_function()
        traced.append((model.training, X.shape[0]))
        return forward(X, *state)

    model.forward = watched
    d2l.Trainer(max_epochs=4).fit(model, data)
    assert sorted(traced) == [(False, 8), (False, 32), (True, 16), (True, 32)]
    assert [len(points) for points in model.board.curves.values()] == [12, 4]


def test_a_linear_regression_finds_the_plane():
    model = Line()
    d2l.Trainer(max_epochs=60).fit(model, Plane(num_train=100))
    np.testing.assert_allclose(model.net.kernel, [[2.0], [-3.4]], rtol=0, atol=1e-3)
    np.testing.assert_allclose(model.net.bias, [4.2], rtol=0, atol=1e-3)


def test_a_step_is_the_gradient_times_the_learning_rate():
    model, data = Line(lr=0.5), Plane(batch_size=12)
    before = parameters(model)
    with tf.GradientTape() as tape:
        loss = model.loss(model(data.X[:12]), data.Y[:12])
    grads = tape.gradient(loss, model.trainable_variables)
    d2l.Trainer(max_epochs=1).fit(model, data)
    for move, g in zip(moves(before, model), grads, strict=True):
        np.testing.assert_allclose(move, -0.5 * g, rtol=1e-4, atol=1e-6)


def test_a_whole_number_is_a_learning_rate():
    model = Line(lr=1)
    before = parameters(model)
    d2l.Trainer(max_epochs=1, gradient_clip_val=0.01).fit(model, Plane(batch_size=12))
    assert norm(moves(before, model)) == pytest.approx(0.01, rel=1e-3)


def test_layers_like_dropout_know_whether_they_are_trained():
    class Watched(Line):
        def forward(self, X):
            modes.append(self.training)
            return super().forward(X)

    modes = []
    d2l.Trainer(max_epochs=2).fit(Watched(), Plane())
    assert modes == [True, False]


class TestLayersThatBehaveDifferentlyInTraining:
    def test_dropout_in_a_net_is_for_training_only(self):
        model = Line()
        model.net = tf.keras.Sequential(
            [tf.keras.layers.Dropout(0.999), tf.keras.layers.Dense(1, kernel_initializer="ones")]
        )
        model.train()
        assert float(model(tf.ones((1, 50)))[0, 0]) != 50
        model.eval()
        assert float(model(tf.ones((1, 50)))[0, 0]) == 50

    def test_a_batch_normalization_learns_its_means(self):
        model, normalization = Line(), tf.keras.layers.BatchNormalization()
        model.net = tf.keras.Sequential([normalization, tf.keras.layers.Dense(1)])
        d2l.Trainer(max_epochs=1).fit(model, Plane())
        assert np.all(normalization.moving_mean.numpy() != 0)

    def test_a_net_may_be_any_function(self):
        model = Line()
        model.net = tf.square
        assert float(model(tf.constant(3.0))) == 9


class TestClipping:
    @pytest.fixture
    def grads(self):
        return [tf.constant([3.0, 0.0]), tf.constant([[4.0]])]

    def test_a_long_gradient_gets_the_norm_of_the_threshold_and_keeps_its_direction(self, grads):
        first, second = d2l.Trainer(max_epochs=1).clip_gradients(1, grads)
        np.testing.assert_allclose(first, [0.6, 0], rtol=1e-6)
        np.testing.assert_allclose(second, [[0.8]], rtol=1e-6)

    def test_a_short_gradient_is_untouched(self, grads):
        after = d2l.Trainer(max_epochs=1).clip_gradients(5.1, grads)
        assert all(map(np.array_equal, grads, after))

    def test_a_gradient_of_zeros_stays(self, grads):
        after = d2l.Trainer(max_epochs=1).clip_gradients(1, [0 * g for g in grads])
        assert norm(after) == 0

    def test_a_sparse_gradient_counts(self):
        table = tf.Variable(tf.ones((5, 2)))
        with tf.GradientTape() as tape:
            loss = 100 * tf.reduce_sum(tf.gather(table, [1, 1, 3]))
        [grad] = d2l.Trainer(max_epochs=1).clip_gradients(1, [tape.gradient(loss, table)])
        assert norm([grad]) == pytest.approx(1)

    def test_a_parameter_without_gradient_stays(self):
        model = Line()
        model.unused = tf.Variable(tf.ones(3))
        d2l.Trainer(max_epochs=1, gradient_clip_val=1).fit(model, Plane())
        np.testing.assert_array_equal(model.unused, np.ones(3))

    @pytest.mark.parametrize(("threshold", "clipped"), [(0.01, True), (0, False), (1e6, False)])
    def test_the_trainer_clips_when_it_is_told_to(self, threshold, clipped):
        model = Line(lr=1)
        before = parameters(model)
        d2l.Trainer(max_epochs=1, gradient_clip_val=threshold).fit(model, Plane(batch_size=12))
        moved = norm(moves(before, model))
        assert (moved == pytest.approx(0.01, rel=1e-3)) == clipped
        assert clipped or moved > 0.1


class TestDevices:
    def test_a_device_is_for_with_statements(self):
        for device in (d2l.cpu(), d2l.try_gpu(99)):
            with device, device:
                assert tf.zeros(1).device.endswith("CPU:0")

    def test_without_a_gpu_the_cpu_trains(self, monkeypatch):
        monkeypatch.setattr(d2l, "num_gpus", lambda: 0)
        trainer, model = d2l.Trainer(max_epochs=1, num_gpus=1), Line()
        before = parameters(model)
        trainer.fit(model, Plane())
        assert trainer.gpus == []
        assert norm(moves(before, model)) > 0

    def test_a_device_has_the_name_that_older_programs_look_for(self):
        name = d2l.try_gpu(99)._device_name
        assert type(name) is str
        with tf.distribute.OneDeviceStrategy(name).scope():
            assert tf.zeros(1).device.endswith("CPU:0")

    def test_a_tensor_can_be_put_somewhere(self):
        assert d2l.cpu().put(tf.ones(2)).device.endswith("CPU:0")


class TestSwitches:
    def test_compiling_changes_no_numbers(self, make_model, lines):
        data = lines(batch_size=32, num_train=80, num_val=32)
        plain, compiled = (curves(make_model, data, seed=0, max_epochs=2, compile=c) for c in (False, True))
        assert list(plain) == list(compiled)
        for name, points in plain.items():
            np.testing.assert_allclose(compiled[name], points, rtol=1e-4)

    def test_compiling_is_done_by_xla_which_knows_no_python(self):
        class Talkative(Line):
            def training_step(self, batch):
                tf.py_function(lambda: None, [], [])
                return super().training_step(batch)

        d2l.Trainer(max_epochs=1).fit(Talkative(), Plane())
        with pytest.raises(tf.errors.InvalidArgumentError, match="EagerPyFunc"):
            d2l.Trainer(max_epochs=1, compile=True).fit(Talkative(), Plane())


class TestSmoke:
    def test_a_long_training_ends_after_two_minibatches(self, make_model, lines, monkeypatch):
        monkeypatch.setenv("D2L_SMOKE", "1")
        data = lines(batch_size=8)
        model = make_model(len(data.vocab))
        trainer = d2l.Trainer(max_epochs=30)
        trainer.fit(model, data)
        assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 2)
        assert {len(points) for points in model.board.curves.values()} == {1, 2}

    def test_data_without_validation_will_do(self, monkeypatch):
        monkeypatch.setenv("D2L_SMOKE", "1")
        trainer = d2l.Trainer(max_epochs=5)
        trainer.fit(Line(), Plane(num_val=0))
        assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 0)


class TestCurves:
    def test_have_the_wanted_number_of_points(self):
        model = Line(plot_train_per_epoch=5, plot_valid_per_epoch=2)
        d2l.Trainer(max_epochs=3).fit(model, Plane(num_train=40, num_val=40))
        assert [len(model.board.curves[name]) for name in ("train_loss", "val_loss")] == [15, 6]

    def test_a_second_training_begins_a_new_plot(self):
        model, data, trainer = Line(), Plane(), d2l.Trainer(max_epochs=2)
        trainer.fit(model, data)
        first = model.board.curves
        trainer.fit(model, data)
        assert [len(points) for points in model.board.curves.values()] == [6, 2]
        assert model.board.curves["val_loss"][-1][1] < first["val_loss"][-1][1]

    def test_a_step_may_plot_several_values_or_none(self):
        class Talkative(Line):
            def training_step(self, batch):
                l = super().training_step(batch)  # noqa: E741 - the chapters' name
                self.plot("root", l, train=True, transform=math.sqrt)
                return l

            def validation_step(self, batch):
                pass

        model = Talkative()
        d2l.Trainer(max_epochs=2).fit(model, Plane(batch_size=12))
        loss, root = (model.board.curves[name] for name in ("train_loss", "train_root"))
        assert root == [(x, pytest.approx(math.sqrt(y))) for x, y in loss]
        assert list(model.board.curves) == ["train_loss", "train_root"]

    def test_an_interrupted_training_finishes_its_plot(self, capsys):
        class Impatient(Line):
            def plot(self, key, value, train, transform=None):
                super().plot(key, value, train, transform)
                if not tf.inside_function() and self.trainer.epoch == 1:
                    raise KeyboardInterrupt

        model = Impatient()
        model.board.display = True
        with pytest.raises(KeyboardInterrupt):
            d2l.Trainer(max_epochs=9).fit(model, Plane())
        assert model.board.finished
        assert "train_loss" in capsys.readouterr().out

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


def test_hyperparameters_may_be_layers_and_lists():
    class Model(d2l.Module):
        def __init__(self, rnn, widths=(1, 2), lr=0.1):
            super().__init__()
            self.save_hyperparameters()

    rnn = d2l.RNN(3, 4)
    model = Model(rnn, widths=[3, 4])
    assert model.hparams["rnn"] is rnn
    assert model.hparams["lr"] == model.lr == 0.1
    assert model.widths == [3, 4]
    assert len(model.trainable_variables) == 3


def test_minibatches_cover_the_data_and_the_last_may_be_smaller():
    data = Plane(num_train=10, num_val=0, batch_size=4)
    loader = data.train_dataloader()
    epochs = [list(loader) for _ in range(2)]
    for batches in epochs:
        assert [len(X) for X, _ in batches] == [4, 4, 2]
    assert len(loader) == 3
    seen = [np.concatenate([np.concatenate([X, Y], axis=1) for X, Y in batches]) for batches in epochs]
    expected = np.concatenate([data.X, data.Y], axis=1)
    for rows in seen:
        assert sorted(map(tuple, rows)) == sorted(map(tuple, expected))
    assert not np.array_equal(*seen)
