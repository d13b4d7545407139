"""Importing the library is cheap and clean."""

PROGRAM = """
import sys
import {package}
brought = set(sys.modules)
import {module}
heavy = ("torchvision", "matplotlib", "pandas", "scipy", "requests", "d2lbook")
frameworks = {{"torch", "tensorflow", "jax", "mxnet"}} - {{"{package}"}}
print([name for name in (*heavy, *frameworks) if name in sys.modules and name not in brought])
"""

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
        and getattr(value, "__name__", "") not in {"<lambda>", "__getattr__"}  # aliases
        and "(chapters/en/" not in (value.__doc__ or "")
    ]
    assert undocumented == []
