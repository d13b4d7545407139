"""Importing the library is cheap and clean, and what it brings says what it does."""

import inspect

import pytest

PROGRAM = """
import sys
import {package}
brought = set(sys.modules)
import {module}
heavy = ("torchvision", "matplotlib", "pandas", "scipy", "requests", "d2lbook")
frameworks = {{"torch", "tensorflow", "jax", "mxnet"}} - {{"{package}"}}
print([name for name in (*heavy, *frameworks) if name in sys.modules and name not in brought])
"""

TIMED = """
import {package}, time
begun = time.process_time()
import {module}
print(time.process_time() - begun)
"""

#: The names of functions that are aliases.
ALIASES = {"<lambda>", "__getattr__"}

#: With these, TensorFlow says nothing even if it is imported first.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "1", "TF_ENABLE_ONEDNN_OPTS": "0"}


def test_importing_loads_nothing_heavy_besides_the_framework(module, run_script):
    program = PROGRAM.format(module=module, package=module.removeprefix("d2l."))
    assert run_script(program, **QUIET) == "[]\n"


def test_importing_and_computing_warns_of_nothing(module, run_script):
    assert run_script(f"import {module} as d2l\nd2l.try_gpu()\nd2l.zeros((2, 3)) + 1\n") == ""


def test_every_saved_definition_says_where_it_comes_from(d2l):
    undocumented = [
        name
        for name, value in vars(d2l).items()
        if getattr(value, "__module__", None) == d2l.__name__
        and getattr(value, "__name__", "") not in ALIASES
        and "(chapters/en/" not in (value.__doc__ or "")
    ]
    assert undocumented == []


def test_importing_adds_little_to_the_time_that_the_framework_takes(module, run_script):
    program = TIMED.format(module=module, package=module.removeprefix("d2l."))
    assert float(run_script(program, **QUIET)) < 1


def test_every_public_function_and_method_says_what_it_does(d2l):
    own = [value for value in vars(d2l).values() if getattr(value, "__module__", None) == d2l.__name__]
    methods = [
        value
        for Class in own
        if isinstance(Class, type)
        for name, value in vars(Class).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]
    functions = [each for each in own if inspect.isfunction(each) and each.__name__ not in ALIASES]
    assert [each.__qualname__ for each in (*functions, *methods) if not each.__doc__] == []


#: What computes with arrays, and so says of which type they are.
COMPUTES = [
    *(f"{name}.forward" for name in ("RNNScratch", "GRUScratch", "LSTMScratch", "BiRNNScratch")),
    *(f"{name}.forward" for name in ("RNN", "LSTM", "BiRNN", "RNNLMScratch")),
    *(f"RNNLMScratch.{name}" for name in ("one_hot", "output_layer", "loss")),
    *("RNNLM.output_layer", "LSTMScratch.gates", "Module.loss"),
]


@pytest.mark.parametrize("name", COMPUTES)
def test_what_computes_says_of_which_type_its_arrays_are(d2l, name):
    owner, method = name.split(".")
    assert "float32" in getattr(getattr(d2l, owner), method).__doc__


def test_data_say_of_which_type_their_tokens_are(d2l):
    assert "integers (int" in d2l.TimeMachine.__init__.__doc__
    assert "integers" in d2l.TimeMachine.get_dataloader.__doc__
