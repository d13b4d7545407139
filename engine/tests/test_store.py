"""Results on disk: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polybook.diagnostics import Code
from polybook.errors import ExecutionError
from polybook.outputs import Provenance, make_record, to_files
from polybook.store import Store

PROVENANCE = Provenance("pytorch", "2.6.0", "3.11.7", "cpu", {})


def record(chapter="rnn", *plots, text="perplexité 1\n"):
    outputs = [
        {"output_type": "display_data", "data": {"image/svg+xml": f"<svg>{plot}</svg>"}, "metadata": {}}
        for plot in plots
    ]
    outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    return make_record(chapter, ["plot()"], [outputs], {}, PROVENANCE)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def load(store: Store, chapter: str):
    """Return a record of which nothing is reported."""
    findings = []
    result = store.load("pytorch", chapter, findings.append)
    assert not findings
    return result


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "outputs")


@pytest.mark.parametrize("chapter", ["rnn", "recurrent/rnn", "chapter_1.2/rnn.v2"])
def test_what_is_saved_is_loaded(store, chapter):
    saved = record(chapter, "a", "b")

    store.save("pytorch", saved)

    assert load(store, chapter) == saved
    assert files_below(store.root) == {f"pytorch/{name}" for name in to_files(saved)}


def test_nothing_is_stored_at_first(store):
    assert load(store, "rnn") is None
    assert not store.root.exists()


def test_frameworks_are_apart(store):
    store.save("jax", record())

    assert load(store, "rnn") is None


def test_the_new_record_replaces_the_old(store):
    store.save("pytorch", record("rnn", "a", "b", "c"))
    saved = record("rnn", "a", "d")

    store.save("pytorch", saved)

    assert load(store, "rnn") == saved
    assert files_below(store.root) == {f"pytorch/{name}" for name in to_files(saved)}


def test_nothing_else_is_deleted(store):
    store.save("pytorch", record("rnn", "a"))
    store.save("pytorch", record("rnn/intro", "b"))
    other = store.root / "pytorch/rnn/notes.svg"
    other.write_text("mine")
    before = files_below(store.root)

    store.save("pytorch", record("rnn"))

    (gone,) = before - files_below(store.root)
    assert gone.startswith("pytorch/rnn/1-1-")
    assert load(store, "rnn/intro")
    assert other.read_text() == "mine"


def test_a_file_that_is_right_is_not_written_again(store):
    store.save("pytorch", record("rnn", "a"))
    times = {path: path.stat().st_mtime_ns for path in store.root.rglob("*") if path.is_file()}
    for path in times:
        os.utime(path, ns=(1, 1))

    store.save("pytorch", record("rnn", "a"))

    assert {path.stat().st_mtime_ns for path in times} == {1}


def test_files_have_the_usual_permissions(store, tmp_path):
    (tmp_path / "usual").write_text("")
    store.save("pytorch", record("rnn", "a"))

    modes = {path.stat().st_mode for path in store.root.rglob("*") if path.is_file()}
    assert modes == {(tmp_path / "usual").stat().st_mode}


class CutOff(BaseException):
    """The machine loses its power."""


def cut_off(monkeypatch, name: str, steps: int) -> None:
    """Let the method `name` of paths work for some calls and then no more."""
    method = getattr(Path, name)
    left = iter(range(steps))

    def step(*args, **kwargs):
        if next(left, None) is None:
            raise CutOff
        return method(*args, **kwargs)

    monkeypatch.setattr(Path, name, step)


@pytest.mark.parametrize(
    ("name", "steps", "is_new"),
    [("open", 0, False), ("open", 2, False)]
    + [("replace", steps, False) for steps in range(3)]
    + [("unlink", steps, True) for steps in range(2)],
)
def test_a_cut_leaves_the_old_record_or_the_new_one(store, monkeypatch, name, steps, is_new):
    old, new = record("rnn", "a", "b", text="1"), record("rnn", "c", "d", text="2")
    store.save("pytorch", old)

    with monkeypatch.context() as patch, pytest.raises(CutOff):
        cut_off(patch, name, steps)
        store.save("pytorch", new)

    assert load(store, "rnn") == (new if is_new else old)
    store.save("pytorch", new)
    assert files_below(store.root) == {f"pytorch/{file}" for file in to_files(new)}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("pattern", "damage", "reason"),
    [
        ("*.json", lambda path: path.write_text("{"), "it is not JSON"),
        ("*.json", lambda path: path.write_text("{}"), "its digest does not fit"),
        ("*/*.svg", truncate, "is not the one that was written"),
        ("*/*.svg", Path.unlink, "cannot be read (No such file or directory)"),
    ],
)
def test_a_broken_record_is_reported_and_counts_as_none(store, pattern, damage, reason):
    store.save("pytorch", record("rnn", "a"))
    (path,) = (store.root / "pytorch").glob(pattern)
    damage(path)
    findings = []

    assert store.load("pytorch", "rnn", findings.append) is None

    (finding,) = findings
    assert finding.code is Code.BROKEN_RECORD
    assert finding.is_note
    assert finding.path == "outputs/pytorch/rnn.json"
    assert reason in finding.what


def test_a_broken_record_is_mended_by_the_next_save(store):
    saved = record("rnn", "a")
    store.save("pytorch", saved)
    for path in store.root.rglob("*.*"):
        truncate(path)

    store.save("pytorch", saved)

    assert load(store, "rnn") == saved


@pytest.mark.parametrize("chapter", ["../rnn", "/etc/rnn", "a/../../rnn", "..\\rnn", "", "."])
def test_a_record_stays_below_the_root(store, chapter):
    with pytest.raises(ValueError, match="cannot be the name"):
        store.save("pytorch", record(chapter))


def test_the_lock_keeps_others_out_and_leaves_nothing(store):
    with store.lock():
        with pytest.raises(ExecutionError, match="X009") as caught, Store(store.root).lock():
            pass
        assert f"process {os.getpid()} on " in str(caught.value)
    with Store(store.root).lock():
        pass

    assert not store.root.exists()


def test_the_lock_of_a_process_that_is_gone_is_free(store):
    store.root.mkdir()
    (store.root / ".lock").write_text("process 1 on elsewhere, long ago")

    with store.lock():
        assert (store.root / ".lock").read_text().startswith(f"process {os.getpid()} ")


@pytest.mark.parametrize(("name", "steps"), [("open", 1), ("replace", 1), ("replace", 2), ("unlink", 0)])
def test_what_a_cut_leaves_is_swept_away(store, monkeypatch, name, steps):
    store.save("pytorch", record("part/rnn", "a", "b", text="1"))
    store.save("pytorch", record("other", "a"))
    with monkeypatch.context() as patch, pytest.raises(CutOff):
        cut_off(patch, name, steps)
        store.save("pytorch", record("part/rnn", "c", "d", text="2"))
    (store.root / ".saving-x").mkdir()  # where the process itself was cut off
    (store.root / ".saving-x/0").touch()

    store.sweep()

    kept = [load(store, "part/rnn"), load(store, "other")]
    assert files_below(store.root) == {f"pytorch/{file}" for one in kept for file in to_files(one)}
    assert not list(store.root.glob(".saving-*"))
