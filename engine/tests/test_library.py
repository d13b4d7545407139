"""The library: fixtures (chapters in, module or errors out) and the properties that all of them have."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from polybook.dialect import parse
from polybook.frameworks import FRAMEWORKS
from polybook.library import Library, build_library, expand_aliases, names_used
from polybook.library.scopes import find_bindings, find_uses
from polybook.library.sources import add_note, merge_members
from polybook.model import Cell, Document, Prose, write

CASES = sorted(path for path in (Path(__file__).parent / "fixtures" / "library").iterdir() if path.is_dir())


def read_settings(case: Path) -> dict[str, Any]:
    path = case / "settings.json"
    return json.loads(path.read_text()) if path.exists() else {}


def read_chapters(case: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(case.glob("*.md"))}


def build(chapters: Mapping[str, str], settings: Mapping[str, Any] | None = None) -> Library:
    settings = settings or {}
    return build_library(
        [(name, parse(text, name)) for name, text in chapters.items()],
        FRAMEWORKS[settings.get("framework", "pytorch")],
        settings.get("default", "pytorch"),
        module="d2l",
        aliases=settings.get("aliases", {}),
    )


def cell(*lines: str) -> str:
    return "\n".join(("```{.python .input}", "#@tab all", *lines, "```", ""))


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each_case
def test_fixture(case: Path) -> None:
    library = build(read_chapters(case), read_settings(case))
    errors = case / "expected_errors.txt"
    assert [str(each) for each in library.diagnostics] == (errors.read_text().splitlines() if errors.exists() else [])
    assert library.text == (case / "expected.py").read_text()


@each_case
def test_second_build_equals_first(case: Path) -> None:
    chapters, settings = read_chapters(case), read_settings(case)
    assert build(chapters, settings) == build(chapters, settings)


@each_case
def test_module_parses_and_ends_with_one_newline(case: Path) -> None:
    text = build(read_chapters(case), read_settings(case)).text
    ast.parse(text)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@each_case
def test_prose_changes_neither_text_nor_closure(case: Path) -> None:
    chapters, settings = read_chapters(case), read_settings(case)
    library = build(chapters, settings)
    edited = build({name: with_more_prose(text) for name, text in chapters.items()}, settings)
    assert edited.text == library.text
    assert edited.closure(edited.definitions) == library.closure(library.definitions)


def with_more_prose(text: str) -> str:
    blocks = []
    for block in parse(text).blocks:
        if isinstance(block, Cell):
            blocks.append(Prose(block.line, "An edit of\ntwo lines.\n\n"))
        blocks.append(block)
    return write(blocks)
