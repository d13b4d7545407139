"""The models of the chapters, and data small enough for a test."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from d2l import torch as d2l

CHAPTERS = Path(__file__).parents[3] / "chapters" / "en"
HEAD = "import torch\nfrom torch import nn\nfrom d2l import torch as d2l\n\n\n"


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """One thread is fastest for models as small as these, and gives the same numbers everywhere."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def StackedRNN(tmp_path_factory):
    """The class that the chapter on deep networks writes for itself, from its cell."""
    text = (CHAPTERS / "deep-rnn.md").read_text(encoding="utf-8")
    [cell] = re.findall(r"^#@tab pytorch\n(class StackedRNN\b.*?)^```$", text, re.DOTALL | re.MULTILINE)
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
    """Makes a language model on a recurrent layer of each kind."""

    def make(vocab_size, num_hiddens=16, lr=1.0):
        layer = make_layer(vocab_size, num_hiddens)
        Model = d2l.RNNLMScratch if hasattr(layer, "sigma") else d2l.RNNLM
        return Model(layer, vocab_size, lr)

    return make


@pytest.fixture
def lines(book, story):
    """The first twenty lines of the story's text, as the data that TimeMachine finds."""
    book("\n".join([line for line in story.splitlines() if line][:20]))

    def data(batch_size=128, num_steps=16, **numbers):
        return d2l.TimeMachine(batch_size, num_steps, **numbers)

    return data
