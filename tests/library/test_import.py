"""Importing the library is cheap and clean."""

PROGRAM = """
import sys
import {module}
heavy = ("torchvision", "matplotlib", "pandas", "scipy", "requests", "d2lbook")
frameworks = {{"torch", "tensorflow", "jax", "mxnet"}} - {{"{module}".removeprefix("d2l.")}}
print([name for name in (*heavy, *frameworks) if name in sys.modules])
"""


def test_importing_loads_nothing_heavy_and_warns_of_nothing(module, run_script):
    assert run_script(PROGRAM.format(module=module)) == "[]\n"


def test_every_saved_definition_says_where_it_comes_from(d2l):
    undocumented = [
        name
        for name, value in vars(d2l).items()
        if getattr(value, "__module__", None) == d2l.__name__
        and getattr(value, "__name__", "") not in {"<lambda>", "__getattr__"}  # aliases
        and "(chapters/en/" not in (value.__doc__ or "")
    ]
    assert undocumented == []
