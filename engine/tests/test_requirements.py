"""What code needs: its imports, in the versions that the book pins."""

from __future__ import annotations

import pytest

from polybook.dialect.python import imported_packages
from polybook.frameworks import FRAMEWORKS
from polybook.requirements import Requirements, name_of

PINS = """\
# The environment.
ipython==9.18.1
Jinja2==3.1.6
matplotlib==3.10.9
ml_dtypes==0.6.0
numpy==1.23.5
PyYAML==6.0.3  # for settings
tensorflow-cpu==2.21.0
torch==2.13.0+cpu ; python_version >= "3.11"
mxnet==1.9.1
"""


def requirements(framework: str) -> Requirements:
    return Requirements.read(FRAMEWORKS[framework], PINS)


@pytest.mark.parametrize(
    ("framework", "packages", "wanted"),
    [
        ("pytorch", {"torch", "IPython"}, ["ipython==9.18.1", "torch==2.13.0+cpu"]),
        ("pytorch", {"yaml", "PIL", "ml_dtypes"}, ["ml_dtypes==0.6.0", "pillow", "pyyaml==6.0.3"]),
        ("tensorflow", {"tensorflow"}, ["tensorflow-cpu==2.21.0"]),
        ("mxnet", {"mxnet"}, ["matplotlib==3.10.9", "mxnet==1.9.1", "numpy==1.23.5"]),
        ("jax", {"jax", "einops"}, ["einops", "jax"]),
        ("jax", set(), []),
    ],
)
def test_packages_are_wanted_in_their_pinned_versions(framework, packages, wanted):
    assert requirements(framework).of(packages) == wanted


def test_a_gpu_may_need_another_distribution():
    assert requirements("tensorflow").of_notebook(["tensorflow"], on_gpu=True) == ["tensorflow==2.21.0"]
    assert requirements("jax").of_notebook(["jax"], on_gpu=True) == ["jax[cuda12]"]
    assert requirements("pytorch").of_notebook(["torch"], on_gpu=True) == ["torch==2.13.0+cpu"]


def test_a_notebook_leaves_the_kernel_and_its_page_as_they_are():
    wanted = requirements("pytorch").of_notebook(["IPython", "ipywidgets", "torch"])
    assert wanted == ["ipywidgets", "torch==2.13.0+cpu"]


@pytest.mark.parametrize("text", ["gym", "Gym==0.21", "gym[all]>=1", "gym @ https://example.org/gym.whl"])
def test_a_requirement_names_its_distribution(text):
    assert name_of(text) == "gym"


def test_the_frameworks_version_is_the_public_one():
    assert requirements("pytorch").version == "2.13.0"
    assert requirements("tensorflow").version == "2.21.0"
    assert requirements("jax").version is None


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("import os, torch.nn as nn\nfrom flax import nnx", {"torch", "flax"}),
        ("from . import x\nfrom .a import b", set()),
        ("try:\n    import a\nexcept ImportError:\n    import b", {"a", "b"}),
        ("def f():\n    import a", set()),
        ("class A:\n    import a", {"a"}),
        ("%matplotlib inline\nimport a", {"a"}),
        ("import =", set()),
    ],
)
def test_imports_that_code_begins_with(code, packages):
    assert imported_packages(code) == packages
