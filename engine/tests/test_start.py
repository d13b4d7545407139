"""Commands that run nothing start without what runs and renders."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SLOW_TO_IMPORT = {"jupyter_book", "jupyter_client", "nbclient", "rich", "sphinx"}
_PROGRAM = """
import sys
from polybook.cli import main

code = main([*sys.argv[1:]])
print("loaded:", *(name for name in sys.modules if "." not in name))
sys.exit(code)
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "_config.yml").write_text("polybook: {languages: {en: .}, frameworks: [pytorch]}\n")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (tmp_path / "index.md").write_text("# A title\n\nSome text.\n")
    return tmp_path


@pytest.mark.parametrize("command", ["status", "check", "execute"])
def test_a_command_without_runs_starts_fast(book, command):
    call = [sys.executable, "-c", _PROGRAM, command, "--book", str(book)]
    answer = subprocess.run(call, capture_output=True, text=True, check=True)

    loaded = answer.stdout.rpartition("loaded:")[2].split()
    assert "polybook" in loaded
    assert not _SLOW_TO_IMPORT & set(loaded)
