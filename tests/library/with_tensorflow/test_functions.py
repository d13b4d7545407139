"""What the function interface does in TensorFlow's own way: values in, variables changed, one graph."""

import numpy as np
import pytest
from d2l import tensorflow as d2l  # before TensorFlow, which it tells to be quiet

import tensorflow as tf  # isort: skip

BOTH = {"return_sequences": True, "return_state": True}


def model(make=tf.keras.layers.SimpleRNN, **settings):
    return d2l.RNNModel(make(8, **BOTH, **settings), 9)


def batch():
    return [tf.random.uniform((2, 4), maxval=9, dtype=tf.int32) for _ in "XY"]


def trained_with(lr):
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss, tf.keras.optimizers.SGD(lr)


def test_clipping_returns_a_gradient_of_the_norm_that_was_asked_for():
    grads = [tf.constant([3.0, 0.0]), tf.constant([0.0, 4.0])]
    clipped = d2l.grad_clipping(grads, 1)
    np.testing.assert_allclose(clipped, [[0.6, 0], [0, 0.8]], atol=1e-6)
    np.testing.assert_array_equal(d2l.grad_clipping(grads, 6), grads)


def test_a_step_divides_by_the_batch_size():
    param = tf.Variable([0.0, 0.0])
    d2l.sgd([param], [tf.constant([2.0, -4.0])], lr=0.5, batch_size=2)
    assert param.numpy().tolist() == [-0.5, 1]


@pytest.mark.parametrize("reads", ["sequentially", "at random"])
def test_a_training_traces_its_step_once_for_each_model(monkeypatch, reads):
    traces, clip = [], d2l.grad_clipping
    monkeypatch.setattr(d2l, "grad_clipping", lambda grads, theta: traces.append(1) or clip(grads, theta))
    vocab = d2l.Vocab(list("abcdefgh"))
    for number in (1, 2):
        d2l.train_ch8(model(), [batch()] * 3, vocab, 1, 3, d2l.cpu(), reads == "at random")
        assert len(traces) == number


def test_dropout_works_in_training_only():
    net, vocab = model(tf.keras.layers.GRU, dropout=0.5), d2l.Vocab(list("abcdefgh"))
    assert len({d2l.predict_ch8("ab", 20, net, vocab) for _ in range(3)}) == 1
    d2l.train_epoch_ch8(net, [batch()], *trained_with(0.1), d2l.cpu(), False)
    X, _ = batch()
    outputs = [net(X, net.begin_state(batch_size=2))[0].numpy() for _ in range(2)]
    assert not np.array_equal(*outputs)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_model_of_functions_and_one_of_classes_give_the_same_numbers(batch_size):
    net = model()
    same = d2l.RNNLM(d2l.RNN(9, 8), 9)
    same.rnn.rnn, same.linear = net.rnn, net.linear
    X = tf.random.uniform((batch_size, 5), maxval=9, dtype=tf.int32)
    outputs, _ = net(X, net.begin_state(batch_size))
    outputs = tf.transpose(tf.reshape(outputs, (5, batch_size, 9)), (1, 0, 2))
    np.testing.assert_allclose(outputs, same(X), atol=1e-5)
    vocab = d2l.Vocab(list("abcdefgh"))
    assert d2l.predict_ch8("ab", 9, net, vocab) == same.predict("ab", 9, vocab)
