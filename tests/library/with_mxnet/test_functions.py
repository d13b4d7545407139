"""What the function interface does in MXNet's own way: gradients in place, states with a history."""

import numpy as onp
import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, init, np, npx


class Plain:
    """A model that is no block."""

    def __init__(self, *gradients):
        self.params = [np.zeros(len(gradient)) for gradient in gradients]
        for param, gradient in zip(self.params, gradients, strict=True):
            param.attach_grad()
            param.grad[:] = np.array(gradient)


def tokens(*shape):
    return np.random.randint(9, size=shape, dtype="int32")


@pytest.mark.parametrize(("theta", "factor"), [(1, 0.2), (6, 1)])
def test_only_a_long_gradient_is_clipped(theta, factor):
    net = Plain([3.0, 0.0], [0.0, 4.0, 0.0])
    d2l.grad_clipping(net, theta)
    onp.testing.assert_allclose(net.params[0].grad.asnumpy(), [3 * factor, 0], rtol=1e-5)
    onp.testing.assert_allclose(net.params[1].grad.asnumpy(), [0, 4 * factor, 0], rtol=1e-5)


def test_blocks_are_clipped_too():
    block = gluon.nn.Dense(1, in_units=2)
    block.initialize()
    with autograd.record():
        out = 100 * block(np.ones((1, 2))).sum()
    out.backward()
    d2l.grad_clipping(block, 0.5)
    norm = sum((p.grad() ** 2).sum().item() for p in block.collect_params().values()) ** 0.5
    assert norm == pytest.approx(0.5, rel=1e-5)


def test_a_step_divides_by_the_batch_size():
    net = Plain([2.0, -4.0])
    d2l.sgd(net.params, lr=0.5, batch_size=2)
    assert net.params[0].tolist() == [-0.5, 1]


def test_a_detached_state_has_its_numbers_and_no_history():
    W = np.ones(2)
    W.attach_grad()
    with autograd.record():
        [H] = d2l.detach_state((W * 3,))
        (H * W).sum().backward()
    assert H.tolist() == [3, 3]
    assert W.grad.tolist() == [3, 3]  # and not 6, which it would be through H


def test_trainers_step_and_sgd_are_the_same():
    def epoch(with_sgd):
        npx.random.seed(0)
        net = d2l.RNNModel(gluon.rnn.GRU(4), 9)
        net.initialize(init.Xavier())
        updater = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1}).step
        if with_sgd:
            updater = lambda batch_size: d2l.sgd(d2l.parameters_of(net), 0.1, batch_size)  # noqa: E731
        batches = [tuple(tokens(2, 2, 3)) for _ in range(3)]
        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        ppl, _ = d2l.train_epoch_ch8(net, batches, loss, updater, d2l.cpu(), False)
        return ppl, [p.asnumpy() for p in d2l.parameters_of(net)]

    (ppl, params), (own_ppl, own_params) = epoch(False), epoch(True)
    assert own_ppl == pytest.approx(ppl)
    assert all(onp.allclose(a, b, atol=1e-6) for a, b in zip(params, own_params, strict=True))


@pytest.mark.parametrize("initializer", [None, "ones"])
def test_training_gives_values_to_parameters_that_have_none(initializer):
    net = d2l.RNNModel(gluon.rnn.LSTM(4, input_size=9), 9)
    if initializer:
        net.initialize(initializer)
    d2l.prepare_block(net, d2l.cpu())
    W = net.rnn.l0_i2h_weight.data()
    assert (W == 1).all() == bool(initializer)
    assert W.std().item() > 0 or initializer


def test_a_layer_that_wants_the_batch_first_is_refused():
    with pytest.raises(ValueError, match="without layout='NTC'"):
        d2l.RNNModel(gluon.rnn.LSTM(8, layout="NTC"), 9)


def test_a_model_may_have_a_prefix_as_any_block():
    assert d2l.RNNModel(gluon.rnn.RNN(8), 9, prefix="old_").prefix == "old_"
