"""What the function interface does in JAX's own way: values in, values out, and one compilation."""

import jax
import numpy as np
import optax
from d2l import jax as d2l
from flax import nnx
from jax import numpy as jnp

KEY = jax.random.key(0)


def test_clipping_returns_a_gradient_of_the_norm_that_was_asked_for():
    grads = {"a": jnp.array([3.0, 0.0]), "b": jnp.array([0.0, 4.0])}
    clipped = d2l.grad_clipping(grads, 1)
    np.testing.assert_allclose(clipped["a"], [0.6, 0], atol=1e-6)
    np.testing.assert_allclose(clipped["b"], [0, 0.8], atol=1e-6)
    assert grads["a"].tolist() == [3, 0]
    same = d2l.grad_clipping(grads, 6)
    assert [same[name].tolist() for name in "ab"] == [[3, 0], [0, 4]]


def test_a_step_divides_by_the_batch_size():
    params = d2l.sgd([jnp.zeros(2)], [jnp.array([2.0, -4.0])], lr=0.5, batch_size=2)
    assert params[0].tolist() == [-0.5, 1]


def test_the_shapes_of_a_state_are_found_without_touching_the_layer():
    net = d2l.RNNModel(d2l.GRU(9, 8, 3, dropout=0.5, key=KEY), 9, key=KEY)
    before = [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(net, nnx.Param))]
    state = net.begin_state(d2l.cpu(), batch_size=2)
    assert state.shape == (3, 2, 8)
    assert not state.any()
    after = jax.tree.leaves(nnx.state(net, nnx.Param))
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_a_training_compiles_its_step_once(monkeypatch):
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, _, **what: compiled.append(what.get("fun_name")) if "backend_compile" in event else None
    )
    vocab = d2l.Vocab(list("abcdefgh"))
    net = d2l.RNNModel(d2l.RNN(9, 8, key=KEY), 9, key=KEY)
    tokens = jax.random.randint(KEY, (2, 4), 0, 9)
    d2l.train_ch8(net, [(tokens, tokens)] * 3, vocab, 1, 3, d2l.cpu())
    assert [name for name in compiled if name and "train_step_ch8" in name] == ["jit(train_step_ch8)"]


def test_dropout_works_in_training_only():
    net = d2l.RNNModel(d2l.GRU(9, 8, 2, dropout=0.5, key=KEY), 9, key=KEY)
    vocab = d2l.Vocab(list("abcdefgh"))
    assert len({d2l.predict_ch8("ab", 20, net, vocab, d2l.cpu()) for _ in range(3)}) == 1
    batch = jax.random.randint(KEY, (2, 2, 3), 0, 9)
    updater = nnx.Optimizer(net, optax.sgd(0.1), wrt=nnx.Param)
    loss = optax.softmax_cross_entropy_with_integer_labels
    d2l.train_epoch_ch8(net, [batch], loss, updater, d2l.cpu(), False)
    assert not net.rnn.drop.deterministic
