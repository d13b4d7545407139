"""What the trainer does in TensorFlow's own way: graphs, variables anywhere, values returned, devices."""

import numpy as np
import pytest
import tensorflow as tf
from d2l import tensorflow as d2l


def test_parameters_are_found_wherever_they_are(Line):
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


def test_parameters_of_layers_that_are_built_in_the_first_step_are_trained(Line, Plane):
    class Lazy(Line):
        def __init__(self):
            super().__init__()
            self.net = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])

    lazy = Lazy()
    d2l.Trainer(max_epochs=30).fit(lazy, Plane(num_train=40))
    assert len(lazy.trainable_variables) == 4
    assert lazy.board.curves["val_loss"][-1][1] < 0.1 * lazy.board.curves["val_loss"][0][1]


def test_a_step_is_traced_once_for_each_size_of_a_minibatch(make_model, lines):
    data = lines(batch_size=32, num_steps=5, num_train=80, num_val=72)  # 32, 32, 16 and 32, 32, 8
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


def test_layers_like_dropout_know_whether_they_are_trained(Line, Plane):
    class Watched(Line):
        def forward(self, X):
            modes.append(self.training)
            return super().forward(X)

    modes = []
    d2l.Trainer(max_epochs=2).fit(Watched(), Plane())
    assert modes == [True, False]


def test_dropout_in_a_net_is_for_training_only(Line):
    model = Line()
    model.net = tf.keras.Sequential(
        [tf.keras.layers.Dropout(0.999), tf.keras.layers.Dense(1, kernel_initializer="ones")]
    )
    model.train()
    assert float(model(tf.ones((1, 50)))[0, 0]) != 50
    model.eval()
    assert float(model(tf.ones((1, 50)))[0, 0]) == 50


def test_a_batch_normalization_learns_its_means(Line, Plane):
    model, normalization = Line(), tf.keras.layers.BatchNormalization()
    model.net = tf.keras.Sequential([normalization, tf.keras.layers.Dense(1)])
    d2l.Trainer(max_epochs=1).fit(model, Plane())
    assert np.all(normalization.moving_mean.numpy() != 0)


def test_a_net_may_be_any_function(Line):
    model = Line()
    model.net = tf.square
    assert float(model(tf.constant(3.0))) == 9


def test_a_sparse_gradient_counts():
    table = tf.Variable(tf.ones((5, 2)))
    with tf.GradientTape() as tape:
        loss = 100 * tf.reduce_sum(tf.gather(table, [1, 1, 3]))
    [grad] = d2l.Trainer(max_epochs=1).clip_gradients(1, [tape.gradient(loss, table)])
    assert np.linalg.norm(grad) == pytest.approx(1)


def test_a_parameter_without_gradient_stays(Line, Plane):
    model = Line()
    model.unused = tf.Variable(tf.ones(3))
    d2l.Trainer(max_epochs=1, gradient_clip_val=1).fit(model, Plane())
    np.testing.assert_array_equal(model.unused, np.ones(3))


def test_a_device_is_for_with_statements():
    for device in (d2l.cpu(), d2l.try_gpu(99)):
        with device, device:
            assert tf.zeros(1).device.endswith("CPU:0")


def test_a_device_has_the_name_that_older_programs_look_for():
    name = d2l.try_gpu(99)._device_name
    assert type(name) is str
    with tf.distribute.OneDeviceStrategy(name).scope():
        assert tf.zeros(1).device.endswith("CPU:0")


def test_a_tensor_can_be_put_somewhere():
    assert d2l.cpu().put(tf.ones(2)).device.endswith("CPU:0")


# Without dropout, whose random numbers XLA draws in its own way
@pytest.mark.parametrize("make_layer", ["scratch", "concise", "gru", "stacked"], indirect=True)
def test_compiling_changes_no_numbers(make_model, lines):
    data = lines(batch_size=32, num_steps=5, num_train=80, num_val=32)

    def curves(**how):
        tf.keras.utils.set_random_seed(0)
        model = make_model(len(data.vocab))
        d2l.Trainer(max_epochs=2, gradient_clip_val=1, **how).fit(model, data)
        return model.board.curves

    plain, compiled = curves(compile=False), curves(compile=True)
    assert list(plain) == list(compiled)
    for name, points in plain.items():
        np.testing.assert_allclose(compiled[name], points, rtol=1e-4)


def test_compiling_is_done_by_xla_which_knows_no_python(Line, Plane):
    class Talkative(Line):
        def training_step(self, batch):
            tf.py_function(lambda: None, [], [])
            return super().training_step(batch)

    d2l.Trainer(max_epochs=1).fit(Talkative(), Plane())
    with pytest.raises(tf.errors.InvalidArgumentError, match="EagerPyFunc"):
        d2l.Trainer(max_epochs=1, compile=True).fit(Talkative(), Plane())
