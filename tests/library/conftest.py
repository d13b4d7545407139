"""What the tests of the library share. They run in a framework's own environment and need no network."""

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

#: The package by which the environment of a framework is recognised; its module of the library has the name.
PACKAGES = {"pytorch": "torch", "tensorflow": "tensorflow", "jax": "jax", "mxnet": "mxnet"}
FRAMEWORK = next((name for name, package in PACKAGES.items() if find_spec(package)), None)
if FRAMEWORK is None:
    raise pytest.UsageError("These tests run with `.venvs/<framework>/bin/python -m pytest tests/library`.")
collect_ignore = [f"with_{name}" for name in PACKAGES if name != FRAMEWORK]

#: A folder that a reader's own corpus may lie in, looked up before the tests hide it.
CORPUS = Path(os.environ.get("D2L_DATA") or ROOT.parent / "shared" / "data")

#: Chapters written by others, and the environment whose polybook takes their cells out.
SEEDS = Path(os.environ.get("POLYBOOK_SEEDS") or ROOT.parent / "shared" / "seeds")
POLYBOOK = ROOT / ".venv" / "bin" / "python"

#: A proxy that nobody listens at: what asks for the network in a process of its own is refused at once.
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}

#: One thread is enough for small models, and several that share a core with other tests wait for each other:
#: the tests took eight times as long.
THREADS = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
os.environ.update(THREADS)

#: What else a process of its own is told.
PROCESS = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **THREADS}

#: What programs begin with in a framework that warns developers (not readers) of its own age.
PRELUDES = {
    "mxnet": "import warnings\n"
    "warnings.filterwarnings('ignore', category=DeprecationWarning, module='mxnet')\n"
}

#: Recurrent layers by what tests call them: the class, and the arguments beside its sizes.
LAYERS = {
    "scratch": ("RNNScratch", {"sigma": 0.3}),
    "concise": ("RNN", {}),
    "gru": ("GRU", {"num_layers": 2}),
    "gru-dropout": ("GRU", {"num_layers": 3, "dropout": 0.2}),
    "stacked": ("StackedRNN", {"num_layers": 2, "sigma": 0.3}),
    "lstm": ("LSTM", {"num_layers": 2}),
    "both ways": ("BiRNN", {}),
    "gru scratch": ("GRUScratch", {"sigma": 0.3}),
    "lstm scratch": ("LSTMScratch", {"sigma": 0.3}),
    "both ways scratch": ("BiRNNScratch", {"sigma": 0.3}),
}


@pytest.fixture(scope="session")
def framework():
    """The name of the framework in whose environment the tests run."""
    return FRAMEWORK


@pytest.fixture(scope="session")
def d2l():
    """The library of the framework in whose environment the tests run."""
    return importlib.import_module(f"d2l.{PACKAGES[FRAMEWORK]}")


@pytest.fixture(scope="session")
def story():
    """The text that stands in for the book."""
    return (ROOT / "d2l" / "story.txt").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def home(d2l, monkeypatch, tmp_path):
    """A home without a cache, on a machine without a network and without settings of the library."""

    def refuse(*args, **kwargs):
        raise OSError("there is no network")

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("D2L_DATA", raising=False)
    monkeypatch.delenv("D2L_SMOKE", raising=False)
    monkeypatch.setattr(d2l.urllib.request, "urlopen", refuse)
    return tmp_path / "home"


@pytest.fixture
def publish(d2l, monkeypatch):
    """Says that a text is the book from now on: the library then wants just this content."""

    def publish(text):
        content = text.encode()
        url, _ = d2l.DATA_HUB["time_machine"]
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        monkeypatch.setitem(d2l.DATA_HUB, "time_machine", (url, digest))
        return content

    return publish


@pytest.fixture
def book(publish, monkeypatch, tmp_path):
    """Puts a text, in the place of the book, into the folder that D2L_DATA names."""

    def book(text):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "timemachine.txt").write_bytes(publish(text))
        monkeypatch.setenv("D2L_DATA", str(tmp_path / "data"))

    return book


@pytest.fixture
def run_script(tmp_path):
    """Runs a program in a process of its own, in which every warning is an error; returns what it prints."""

    def run(source, **settings):
        (tmp_path / "script.py").write_text(PRELUDES.get(FRAMEWORK, "") + source, encoding="utf-8")
        environment = os.environ | OFFLINE | PROCESS | settings
        done = subprocess.run(
            [sys.executable, "-W", "error", "script.py"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=600,
        )
        assert not done.returncode, done.stderr
        assert not done.stderr
        return done.stdout

    return run


@pytest.fixture
def module():
    """The name of the library's module, as programs import it."""
    return f"d2l.{PACKAGES[FRAMEWORK]}"


@pytest.fixture
def corpus_folder():
    """The folder that has the real corpus; without one the test is skipped."""
    if not (CORPUS / "timemachine.txt").is_file():
        pytest.skip(f"the corpus timemachine.txt is not in {CORPUS}; D2L_DATA names its folder")
    return CORPUS


@pytest.fixture(scope="session")
def seeds(tmp_path_factory):
    """A folder with the code cells of all seeds, one file for each framework that a seed names."""
    if not any(SEEDS.glob("*.txt")):
        pytest.skip(f"the seed chapters are not in {SEEDS}; POLYBOOK_SEEDS names their folder")
    if not POLYBOOK.exists():
        pytest.skip(f"there is no {POLYBOOK}, which takes cells out of chapters; `make site` sets it up")
    folder = tmp_path_factory.mktemp("seeds")
    command = [POLYBOOK, ROOT / "benchmarks" / "seeds.py", "--cells", folder]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=600)
    assert not done.returncode, done.stderr
    assert any(folder.glob("unchanged/*.json")), "no seed has cells"
    return folder


@pytest.fixture(scope="session")
def adapter():
    """How tests that hold for every framework make layers, give them weights and read numbers."""
    return importlib.import_module(f"with_{FRAMEWORK}.adapter")


@pytest.fixture(scope="session")
def stack_of(d2l):
    """The class `StackedRNN` that the chapter on deep networks writes for itself, from its cells."""
    text = (ROOT / "chapters" / "en" / "deep-rnn.md").read_text(encoding="utf-8")
    cells = re.findall(rf"^#@tab {FRAMEWORK}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    names = {}
    exec(cells[0], names)  # noqa: S102 - the imports; the code is our own
    exec(next(cell for cell in cells if cell.startswith("class StackedRNN(")), names)  # noqa: S102 - likewise
    return names["StackedRNN"]


@pytest.fixture(autouse=True)
def seed(adapter):
    """Random numbers that are the same in each run of a test."""
    adapter.seed(0)


@pytest.fixture(scope="module", params=["scratch", "concise", "gru", "gru-dropout", "stacked"])
def make_layer(request, d2l, adapter, stack_of):
    """Makes a layer of each kind, as it is outside of training, from its numbers of inputs and of units."""
    name, settings = LAYERS[request.param]
    Layer = stack_of if name == "StackedRNN" else getattr(d2l, name)

    def make(num_inputs, num_hiddens):
        layer = adapter.make(Layer, num_inputs, num_hiddens, **settings)
        if hasattr(layer, "eval"):
            layer.eval()
        return layer

    return make


@pytest.fixture(scope="module")
def make_model(d2l, adapter, make_layer):
    """Makes a language model on a recurrent layer of each kind, which shows no plots."""

    def make(vocab_size, num_hiddens=16, lr=1.0):
        layer = make_layer(vocab_size, num_hiddens)
        Model = d2l.RNNLMScratch if hasattr(layer, "sigma") else d2l.RNNLM
        model = adapter.make(Model, layer, vocab_size, lr)
        model.board.display = False
        return model

    return make


@pytest.fixture
def lines(d2l, book, story):
    """The first twenty lines of the story's text, as the data that TimeMachine finds."""
    book("\n".join([line for line in story.splitlines() if line][:20]))

    def data(batch_size=128, num_steps=16, **numbers):
        return d2l.TimeMachine(batch_size, num_steps, **numbers)

    return data


@pytest.fixture(scope="session")
def Line(d2l, adapter):
    """A linear regression, which shows no plots."""

    class Line(d2l.Module):
        def __init__(self, lr=0.1, **how_often):
            super().__init__(**how_often)
            self.save_hyperparameters()
            self.net = adapter.linear(2, 1)
            self.board.display = False

        def loss(self, Y_hat, Y):
            return d2l.reduce_mean((Y_hat - Y) ** 2)

    return Line


@pytest.fixture(scope="session")
def Plane(d2l, adapter):
    """Points of a plane; without `num_val` there is no validation."""

    class Plane(d2l.DataModule):
        def __init__(self, num_train=12, num_val=8, batch_size=4):
            super().__init__()
            self.save_hyperparameters()
            X = np.random.default_rng(0).normal(size=(num_train + num_val, 2))
            self.X = adapter.array(X)
            self.Y = adapter.array(X @ [[2.0], [-3.4]] + 4.2)

        def get_dataloader(self, train):
            if not train and not self.num_val:
                return None
            part = slice(self.num_train) if train else slice(self.num_train, None)
            return self.get_tensorloader([self.X, self.Y], train, part)

    return Plane


@pytest.fixture
def without_gpus(d2l, monkeypatch):
    """A machine without a GPU."""
    monkeypatch.setattr(d2l, "num_gpus", lambda: 0)


@pytest.fixture
def seed_chapter(seeds):
    """Gives the code cells that a seed has for the framework, and what is set for them, by its number."""

    def seed_chapter(number, kind="unchanged"):
        paths = list((seeds / kind).glob(f"{number}_*.{FRAMEWORK}.json"))
        if not paths:
            pytest.skip(f"seed {number} has no code for {FRAMEWORK}")
        found = json.loads(paths[0].read_text(encoding="utf-8"))
        return found["cells"], found["settings"]

    return seed_chapter
