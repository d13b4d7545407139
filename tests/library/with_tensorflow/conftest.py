"""The models of the chapters, and data small enough for a test."""

import importlib.util
import re
from pathlib import Path

import pytest
from d2l import tensorflow as d2l  # before TensorFlow, which it tells to be quiet

import tensorflow as tf  # isort: skip

CHAPTERS = Path(__file__).parents[3] / "chapters" / "en"
HEAD = "from d2l import tensorflow as d2l\n\n\n"

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


@pytest.fixture(autouse=True)
def seed():
    tf.keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def StackedRNN(tmp_path_factory):
    """The class that the chapter on deep networks writes for itself, from its cell."""
    text = (CHAPTERS / "deep-rnn.md").read_text(encoding="utf-8")
    [cell] = re.findall(r"^#@tab tensorflow\n(class StackedRNN\b.*?)^```$", text, re.DOTALL | re.MULTILINE)
    path = tmp_path_factory.mktemp("chapter") / "stacked.py"
    path.write_text(HEAD + cell, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("stacked", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.StackedRNN


@pytest.fixture(params=["scratch", "concise", "gru", "stacked"])
def make_layer(request, StackedRNN):
    """Makes a recurrent layer of each kind, from the numbers of inputs and hidden units."""
    return {
        "scratch": lambda d, h: d2l.RNNScratch(d, h, sigma=0.3),
        "concise": d2l.RNN,
        "gru": lambda d, h: d2l.GRU(d, h, num_layers=2),
        "stacked": lambda d, h: StackedRNN(d, h, num_layers=2, sigma=0.3),
    }[request.param]


@pytest.fixture
def make_model(make_layer):
    """Makes a language model on a recurrent layer of each kind, which shows no plots."""

    def make(vocab_size, num_hiddens=8, lr=1.0):
        layer = make_layer(vocab_size, num_hiddens)
        Model = d2l.RNNLMScratch if hasattr(layer, "sigma") else d2l.RNNLM
        model = Model(layer, vocab_size, lr)
        model.board.display = False
        return model

    return make


@pytest.fixture
def lines(book, story):
    """The first twenty lines of the story's text, as the data that TimeMachine finds."""
    book("\n".join([line for line in story.splitlines() if line][:20]))

    def data(batch_size=128, num_steps=5, **numbers):
        return d2l.TimeMachine(batch_size, num_steps, **numbers)

    return data
