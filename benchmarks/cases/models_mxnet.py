"""Both libraries' models in MXNet."""

import importlib
import warnings
from functools import partial

import mxnet
from mxnet import gluon, np, npx
from steps import STATES, STEPS, stacked, weights, zeros

warnings.filterwarnings("ignore")  # of its age
npx.set_np()

#: The cell of the concise model.
CONCISE = "RNN"


def load(upstream):
    library = importlib.import_module("d2l.mxnet")
    mxnet.random.seed(0)
    return library


def wait():
    npx.waitall()


def product(size):
    A, B = np.random.normal(size=(size, size)), np.random.normal(size=(size, size))
    return lambda: np.dot(A, B).wait_to_read()


def language_model(d2l, kind, num_inputs, upstream):
    if kind == "scratch":
        return d2l.RNNLMScratch(d2l.RNNScratch(num_inputs, 32), num_inputs, lr=1)
    if kind == "scratch, tokens":
        rnn = d2l.TokenRNNScratch(num_inputs, 32)
        return d2l.TokenRNNLMScratch(rnn, num_inputs, lr=1)
    if kind == "concise":
        rnn = d2l.RNN(32) if upstream else d2l.RNN(num_inputs, 32)
        return d2l.RNNLM(rnn, num_inputs, lr=1)
    if kind == "deep scratch":
        gather = partial(found_by_upstream, d2l) if upstream else list
        return d2l.RNNLMScratch(stacked(d2l, gather, np.stack)(num_inputs, 32, 2), num_inputs, lr=2)
    return d2l.RNNLM(deep_gru(d2l)(32, 2), num_inputs, lr=2)


def found_by_upstream(d2l, layers):
    """Return what upstream's models find the parameters of layers in; in a list they stay untrained."""

    class Layers(d2l.Module):
        def __len__(self):
            return len(layers)

        def __iter__(self):
            return iter(layers)

    gathered = Layers()
    for i, layer in enumerate(layers):
        setattr(gathered, f"layer_{i}", layer)
    return gathered


def deep_gru(d2l):
    """Return the class of the framework's GRU of several layers."""

    class DeepGRU(d2l.RNN):
        def __init__(self, num_hiddens, num_layers):
            d2l.Module.__init__(self)
            self.save_hyperparameters()
            self.rnn = gluon.rnn.GRU(num_hiddens, num_layers)

    return DeepGRU


def trainer_ch8(d2l, kind, num_inputs, num_hiddens, upstream):
    """Return a function that trains a model for an epoch on a list of minibatches."""
    cell, device = kind.split()[0], mxnet.cpu()
    if "scratch" in kind:
        net = d2l.RNNModelScratch(num_inputs, num_hiddens, device, *functions(cell, num_inputs, num_hiddens))

        def updater(batch_size):
            d2l.sgd(net.params, 1.0, batch_size)
    else:
        net = d2l.RNNModel(getattr(gluon.rnn, cell)(num_hiddens), num_inputs)
        net.initialize(mxnet.init.Xavier())
        updater = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0}).step
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    return lambda batches: d2l.train_epoch_ch8(net, batches, loss, updater, device, False)


def functions(cell, num_inputs, num_hiddens):
    """Return the functions that `RNNModelScratch` is made of."""
    step = STEPS[cell]

    def get_params(vocab_size, num_hiddens, device):
        params = [np.array(a) for a in weights(cell, vocab_size, num_hiddens)]
        for param in params:
            param.attach_grad()
        return params

    def init_state(batch_size, num_hiddens, device):
        return tuple(np.array(zeros(batch_size, num_hiddens)) for _ in range(STATES[cell]))

    def forward(inputs, state, params):
        *own, W_hq, b_q = params
        outputs = []
        for X in inputs:
            state, H = step(X, state, own, np.tanh, npx.sigmoid)
            outputs.append(H)
        return np.dot(np.concatenate(outputs), W_hq) + b_q, state

    return get_params, init_state, forward
