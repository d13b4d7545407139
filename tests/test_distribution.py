"""The library as what `pip install .` installs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from polybook.dialect.python import imported_packages
from polybook.frameworks import FRAMEWORKS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_there_is_an_extra_for_each_framework_with_what_its_module_imports(book, project):
    extras = {}
    for name in book.config.frameworks:
        module = ROOT / "d2l" / f"{FRAMEWORKS[name].module}.py"
        packages = imported_packages(module.read_text(encoding="utf-8"))
        extras[name] = book.requirements[name].of(packages - set(project["dependencies"]))
    assert project["optional-dependencies"] == extras


@pytest.mark.slow
def test_pip_installs_it_where_there_is_no_framework(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, ROOT], check=True)

    def run(code):
        return subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("import d2l, matplotlib, numpy").returncode == 0
    story = "from importlib.resources import files; print(files('d2l').joinpath('story.txt').is_file())"
    assert run(story).stdout == "True\n"
    for module, framework, statement in (
        ("torch", "torch==2.13.0", "from d2l import torch as d2l"),
        ("jax", "jax==0.10.2", "import d2l.jax as d2l"),
        ("mxnet", "matplotlib==3.10.9", "import d2l.mxnet"),
    ):
        error = run(statement).stderr.splitlines()[-1]
        assert error.startswith(f"ImportError: d2l.{module} needs ")
        assert "which is not installed. Run: pip install " in error
        assert framework in error
