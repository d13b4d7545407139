"""Importing the library is cheap and clean."""

PROGRAM = """
import sys
import {package}
brought = set(sys.modules)
import {module}
heavy = ("torchvision", "matplotlib.pyplot", "pandas", "scipy", "requests", "d2lbook")
print([name for name in heavy if name in sys.modules and name not in brought])
"""


def test_importing_loads_nothing_heavy_and_warns_of_nothing(module, run_script):
    assert run_script(PROGRAM.format(module=module, package=module.split(".")[1])) == "[]\n"


def test_every_saved_definition_says_where_it_comes_from(d2l):
    undocumented = [
        name
        for name, value in vars(d2l).items()
        if getattr(value, "__module__", None) == d2l.__name__ and "(chapters/en/" not in (value.__doc__ or "")
    ]
    assert undocumented == []
