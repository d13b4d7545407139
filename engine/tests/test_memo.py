"""What is worked out from texts is kept, for these texts and nothing else."""

from __future__ import annotations

import pytest

from polybook.pipeline.memo import Memo


def ask(memo: Memo, *texts: str, answer: object = "new") -> object:
    return memo.value("length", texts, lambda: answer)


@pytest.fixture
def path(tmp_path):
    """The file of a memo that knows one answer."""
    memo = Memo(tmp_path / "build" / "memo.json", "context")
    assert ask(memo, "a", "b", answer={"old": [1]}) == {"old": [1]}
    memo.keep()
    return tmp_path / "build" / "memo.json"


def test_the_same_texts_have_the_same_answer(path):
    assert ask(Memo(path, "context"), "a", "b") == {"old": [1]}


@pytest.mark.parametrize("texts", [("a",), ("ab",), ("b", "a"), ("a", "b", ""), ("a", "\ud800")])
def test_other_texts_have_their_own(path, texts):
    assert ask(Memo(path, "context"), *texts) == "new"


def test_another_question_and_another_context_have_their_own(path):
    assert Memo(path, "context").value("width", ["a", "b"], lambda: "new") == "new"
    assert ask(Memo(path, "another"), "a", "b") == "new"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content.replace(b"[1]", b"[2]"),
        lambda content: b"\xff" + content,
        lambda content: content.partition(b"\n")[2],
    ],
    ids=["empty", "truncated", "edited", "no text", "no digest"],
)
def test_what_is_damaged_is_worked_out_again(path, damage):
    path.write_bytes(damage(path.read_bytes()))

    assert ask(Memo(path, "context"), "a", "b") == "new"


def test_what_was_not_asked_for_is_forgotten(path):
    memo = Memo(path, "context")
    ask(memo, "c")
    memo.keep()

    later = Memo(path, "context")
    assert ask(later, "c", answer="newer") == "new"
    assert ask(later, "a", "b") == "new"


def test_nothing_is_written_where_nothing_is_new(path):
    before = path.stat().st_ino
    memo = Memo(path, "context")
    ask(memo, "a", "b")
    memo.keep()

    assert path.stat().st_ino == before


def test_a_place_that_takes_no_file_is_no_fault(tmp_path):
    (tmp_path / "file").touch()
    memo = Memo(tmp_path / "file" / "memo.json", "")
    ask(memo, "a")

    memo.keep()

    assert ask(memo, "a", answer="newer") == "new"
