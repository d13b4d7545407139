"""The page about the dialect: what it says of its examples is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dump import dump, dump_code

PAGE = Path(__file__).parents[2] / "docs" / "dialect.md"
EXAMPLE = re.compile(
    r"^````markdown\n(?P<text>.*?)^````\n\n```blocks\n(?P<blocks>.*?)^```\n"
    r"(?P<codes>(?:\n````code \w+\n.*?^````\n)*)",
    re.MULTILINE | re.DOTALL,
)
CODE = re.compile(r"^````code (?P<framework>\w+)\n(?P<code>.*?)^````\n", re.MULTILINE | re.DOTALL)

text = PAGE.read_text(encoding="utf-8")
EXAMPLES = [
    pytest.param(match, id=f"line {text.count(chr(10), 0, match.start()) + 1}")
    for match in EXAMPLE.finditer(text)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_read_as_the_page_says(example: re.Match[str]) -> None:
    assert dump(example["text"]) == example["blocks"].rstrip("\n")


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_the_code_that_the_page_shows(example: re.Match[str]) -> None:
    for code in CODE.finditer(example["codes"]):
        assert dump_code(example["text"], code["framework"], default="pytorch") == code["code"].rstrip("\n")


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^````markdown$", text, re.MULTILINE)) > 15
    assert sum(example.values[0]["codes"].count("````code ") for example in EXAMPLES) == len(
        re.findall(r"^````code ", text, re.MULTILINE)
    )
