"""Both libraries' models in JAX. Upstream has no function interface there, and of layers the GRU alone."""

import functools
import importlib

import jax
import optax
from flax import linen, nnx
from jax import lax
from jax import numpy as jnp
from steps import STATES, STEPS, stacked, through, weights, zeros

#: The cell of the concise model, the only one that upstream has.
CONCISE = "GRU"


@functools.cache
def key():
    """Return the random key of all models; made late, as programs import the library before they compute."""
    return jax.random.key(0)


def load(upstream):
    """Return the library; upstream's names a class that JAX has renamed."""
    if upstream:
        jax.random.PRNGKeyArray = jax.Array
    return importlib.import_module("d2l.jax")


def wait():
    """Values are asked for after each minibatch, so all is done when a call returns."""


def product(size):
    A, B = jax.random.normal(key(), (size, size)), jax.random.normal(key(), (size, size))
    multiply = jax.jit(jnp.matmul)
    return lambda: multiply(A, B).block_until_ready()


def language_model(d2l, kind, num_inputs, upstream):
    if upstream:
        return upstream_model(d2l, kind, num_inputs)
    if kind == "scratch":
        return d2l.RNNLMScratch(d2l.RNNScratch(num_inputs, 32, key=key()), num_inputs, lr=1, key=key())
    if kind == "scratch, tokens":
        rnn = d2l.TokenRNNScratch(num_inputs, 32, key=key())
        return d2l.TokenRNNLMScratch(rnn, num_inputs, lr=1, key=key())
    if kind == "concise":
        return d2l.RNNLM(d2l.GRU(num_inputs, 32, key=key()), num_inputs, lr=1, key=key())
    if kind == "deep scratch":
        return d2l.RNNLMScratch(
            stacked(d2l, nnx.List, jnp.stack, key=key())(num_inputs, 32, 2), num_inputs, lr=2, key=key()
        )
    return d2l.RNNLM(d2l.GRU(num_inputs, 32, 2, key=key()), num_inputs, lr=2, key=key())


def upstream_model(d2l, kind, num_inputs):
    """Return a model of upstream's, whose modules are those of Flax's older interface."""

    class Stacked(d2l.Module):
        num_inputs: int
        num_hiddens: int
        num_layers: int
        sigma: float = 0.01

        def setup(self):
            sizes = [self.num_inputs, *[self.num_hiddens] * self.num_layers]
            self.rnns = [d2l.RNNScratch(n, self.num_hiddens, self.sigma) for n in sizes[:-1]]

        def __call__(self, inputs, Hs=None):
            return through(self.rnns, inputs, Hs, jnp.stack)

    class GRU(d2l.RNN):
        """Upstream's own calls Flax in a way that it no longer takes."""

        num_layers: int = 1

        @linen.compact
        def __call__(self, X, state=None, training=False):
            states = []
            for _ in range(self.num_layers):
                layer = linen.RNN(linen.GRUCell(self.num_hiddens), time_major=True, return_carry=True)
                state, X = layer(X)
                states.append(state)
            return X, states

    if kind == "scratch":
        return d2l.RNNLMScratch(d2l.RNNScratch(num_inputs, 32), num_inputs, lr=1)
    if kind == "concise":
        return d2l.RNNLM(GRU(32, num_layers=1), num_inputs, lr=1)
    if kind == "deep scratch":
        return d2l.RNNLMScratch(Stacked(num_inputs, 32, 2), num_inputs, lr=2)
    return d2l.RNNLM(GRU(32, num_layers=2), num_inputs, lr=2)


def trainer_ch8(d2l, kind, num_inputs, num_hiddens, upstream):
    """Return a function that trains a model for an epoch on a list of minibatches."""
    cell = kind.split()[0]
    if "scratch" in kind:
        get_params, init_state, forward = functions(cell)
        net = d2l.RNNModelScratch(
            num_inputs, num_hiddens, d2l.cpu(), get_params, init_state, forward, key=key()
        )
    else:
        net = d2l.RNNModel(getattr(d2l, cell)(num_inputs, num_hiddens, key=key()), num_inputs, key=key())
    updater = nnx.Optimizer(net, optax.sgd(1.0), wrt=nnx.Param)
    loss = optax.softmax_cross_entropy_with_integer_labels
    return lambda batches: d2l.train_epoch_ch8(net, batches, loss, updater, d2l.cpu(), False)


def functions(cell):
    """Return the functions that `RNNModelScratch` is made of."""
    step = STEPS[cell]

    def get_params(vocab_size, num_hiddens, device, key):
        return [jnp.asarray(a) for a in weights(cell, vocab_size, num_hiddens)]

    def init_state(batch_size, num_hiddens, device):
        return tuple(jnp.asarray(zeros(batch_size, num_hiddens)) for _ in range(STATES[cell]))

    def forward(inputs, state, params):
        *own, W_hq, b_q = params

        def scan_step(state, X):
            return step(X, state, own, jnp.tanh, jax.nn.sigmoid)

        state, outputs = lax.scan(scan_step, state, inputs)
        return outputs.reshape(-1, outputs.shape[-1]) @ W_hq + b_q, state

    return get_params, init_state, forward
