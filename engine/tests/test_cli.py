"""The commands: what they print, what they write, and their exit codes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from polybook.cli import COMMANDS, main

ENVIRONMENTS = Path(__file__).parents[2] / ".venvs"


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    """Return the exit code of a command and what it printed to both streams."""
    status = main(list(map(str, arguments)))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


# Help and wrong use


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_shows_an_example_that_works(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as caught:
        main([command.name, "--help"])
    assert caught.value.code == 0
    assert f"example: {command.example}\n" in capsys.readouterr().out
    program, *arguments = shlex.split(command.example)
    assert (program, arguments[0]) == ("polybook", command.name)
    assert main([*arguments, "--book", "/there/is/no/such/book"]) == 1


def test_help_lists_the_commands(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert all(command.name in printed and command.summary in printed for command in COMMANDS)


WRONG = {
    "no command": ([], "The following arguments are required: COMMAND. See `polybook --help`."),
    "unknown command": (
        ["bild"],
        "Argument COMMAND: invalid choice: 'bild' (choose from 'build', 'execute', 'library', 'notebooks', "
        "'check', 'status', 'sync', 'serve'). See `polybook --help`.",
    ),
    "unknown option": (["check", "--jsn"], "Unrecognized arguments: --jsn. See `polybook --help`."),
    "no number": (
        ["build", "--jobs", "many"],
        "Argument -j/--jobs: invalid int value: 'many'. See `polybook build --help`.",
    ),
    "no port": (
        ["serve", "--port", "99999"],
        "Argument --port: there is no port 99999. See `polybook serve --help`.",
    ),
    "unknown language": (
        ["build", "--language", "fr"],
        "There is no language `fr` in this book. Known: en, zh.",
    ),
    "unknown framework": (
        ["execute", "--framework", "torch"],
        "There is no framework `torch` in this book. Known: pytorch, mxnet.",
    ),
    "unknown chapter": (
        ["execute", "sum"],
        "There is no chapter `sum` in this book. Known: index, sums, parts/means, references.",
    ),
    "file of a chapter": (
        ["execute", "chapters/en/parts/means.md"],
        "There is no chapter `chapters/en/parts/means.md` in this book. Say `parts/means`.",
    ),
    "suffix of a chapter": (
        ["execute", "sums.md"],
        "There is no chapter `sums.md` in this book. Say `sums`.",
    ),
    "chapter without code": (
        ["execute", "sums", "references"],
        "The chapter `references` has no code that could run. Leave it out.",
    ),
    "chapter without code in a framework": (
        ["execute", "parts/means", "--framework", "mxnet"],
        "The chapter `parts/means` has no code in mxnet that could run. Leave it out.",
    ),
}


@pytest.mark.parametrize(("arguments", "line"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_and_exit_code_2(arguments, line, copy_book, capsys, monkeypatch):
    monkeypatch.chdir(copy_book("tiny"))
    assert call(capsys, *arguments) == (2, "", f"polybook: B007 {line}\n")


def test_a_folder_without_a_book(tmp_path, capsys):
    advice = "Call polybook in a book's folder, or name one with `--book`."
    expected = f"_config.yml: B005 There is no such file here. {advice}\n"
    assert call(capsys, "check", "--book", tmp_path) == (1, "", expected)


def test_what_the_operating_system_refuses_is_one_line(copy_book, capsys, monkeypatch):
    book = copy_book("tiny")
    monkeypatch.chdir(book)
    (book / "_build").write_text("a file in the way")
    status, _, errors = call(capsys, "notebooks")
    assert status == 1
    (line,) = errors.splitlines()
    assert line.startswith("_build/notebooks/")
    assert line.endswith(
        ": B009 The operating system refused: Not a directory. Look at its permissions and the disk's space."
    )


def test_it_is_a_program():
    found = subprocess.run(
        [sys.executable, "-m", "polybook", "check", "--book", "/nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("_config.yml: B005 ")


# check, status, library, notebooks


def test_check_of_a_good_book(copy_book, capsys):
    book = copy_book("tiny")
    call(capsys, "library", "--book", book)
    (book / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters: [{file: sums}, {file: references}]"
    )
    for name in ("en/index.md", "zh/index.md"):
        (book / "chapters" / name).write_text("# Index\n:label:`chap_index`\n")
    assert call(capsys, "check", "--book", book) == (0, "No findings.\n", "")
    assert call(capsys, "check", "--json", "--book", book) == (0, "[]\n", "")


def test_notes_do_not_fail(copy_book, capsys):
    book = copy_book("tiny")
    call(capsys, "library", "--book", book)
    note = (
        "_toc.yml: B004 There is no `parts/means.md` in `chapters/zh`. "
        "Readers get another language until it is translated.\n"
    )
    assert call(capsys, "check", "--book", book) == (0, "", note)


def test_findings_as_json(write_book, capsys):
    text = "# A\n\nSee\n:numref:`gone`.\n"
    book = write_book({"_toc.yml": "format: jb-book\nroot: index\n", "index.md": text})
    status, out, errors = call(capsys, "check", "--json", "--book", book)
    assert (status, errors) == (1, "")
    assert json.loads(out) == [
        {
            "path": "index.md",
            "line": 4,
            "code": "R002",
            "name": "unknown-label",
            "what": "There is no label `gone` in this language's chapters.",
            "advice": "Mend the name or label what it means.",
        }
    ]


def test_the_library_is_written_once_and_checked(copy_book, capsys):
    book = copy_book("tiny")
    late = "The library is not what the chapters say. Run `polybook library`.\n"
    missing = "".join(f"d2l/{name}.py: L004 {late}" for name in ("__init__", "torch", "mxnet"))
    assert call(capsys, "library", "--check", "--book", book) == (1, "", missing)
    assert not (book / "d2l").exists()
    written = "wrote d2l/__init__.py\nwrote d2l/torch.py\nwrote d2l/mxnet.py\n"
    assert call(capsys, "library", "--book", book) == (0, written, "")
    assert call(capsys, "library", "--book", book) == (0, "", "")
    assert call(capsys, "library", "--check", "--book", book) == (0, "", "")
    assert call(capsys, "check", "--book", book)[0] == 0

    chapter = book / "chapters/en/sums.md"
    chapter.write_text(chapter.read_text().replace("self.count += 1", "self.count += 2"))
    changed = f"d2l/torch.py: L004 {late}"
    assert call(capsys, "library", "--check", "--book", book) == (1, "", changed)
    assert changed in call(capsys, "check", "--book", book)[2]
    assert call(capsys, "library", "--book", book) == (0, "wrote d2l/torch.py\n", "")
    assert call(capsys, "library", "--check", "--book", book) == (0, "", "")


def test_an_error_in_one_framework_s_library_leaves_the_others(copy_book, capsys):
    book = copy_book("tiny")
    chapter = book / "chapters/en/parts/means.md"
    more = "\n```{.python .input}\n#@tab mxnet\ndef total():  #@save\n    pass\n```\n"
    chapter.write_text(chapter.read_text() + more)
    status, out, errors = call(capsys, "library", "--book", book)
    assert (status, out) == (1, "wrote d2l/__init__.py\nwrote d2l/torch.py\n")
    (line,) = errors.splitlines()
    number = chapter.read_text().count("\n") - 2
    assert line.startswith(f"chapters/en/parts/means.md:{number}: L001 `total` is saved twice")
    assert call(capsys, "library", "--check", "--book", book) == (1, "", errors)


def test_a_book_without_a_library(write_book, capsys):
    book = write_book({"_toc.yml": "format: jb-book\nroot: index\n", "index.md": "# A\n"})
    assert call(capsys, "library", "--book", book) == (0, "", "")
    assert call(capsys, "library", "--check", "--book", book) == (0, "", "")


def test_notebooks_are_counted_and_those_of_chapters_that_went_are_removed(copy_book, capsys):
    book = copy_book("tiny")
    folder = book / "_build" / "notebooks"
    assert call(capsys, "notebooks", "--book", book)[:2] == (0, f"14 notebooks in {folder}\n")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.ipynb")}
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: references}]")
    assert call(capsys, "notebooks", "--book", book)[1] == f"8 notebooks in {folder}\n"
    left = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert {name for name in left if not name.endswith(".zip")} == {
        f"jupyter/{language}/{framework}/{name}.ipynb"
        for language in ("en", "zh")
        for framework in ("pytorch", "mxnet")
        for name in ("index", "references")
    }
    unchanged = left["jupyter/zh/mxnet/references.ipynb"]
    assert unchanged.read_text() and unchanged.stat().st_mtime_ns >= times[unchanged]


def test_status_of_a_book_that_was_never_run(copy_book, capsys):
    book = copy_book("tiny")
    untranslated = "untranslated parts/means: zh\n"
    assert call(capsys, "status", "--book", book) == (
        0,
        "missing  pytorch     sums\nmissing  mxnet       sums\nmissing  pytorch     parts/means\n"
        + untranslated,
        "",
    )
    out = call(capsys, "status", "--explain", "--book", book)[1]
    assert out.splitlines()[0].startswith("missing  pytorch     sums: ")
    states = json.loads(call(capsys, "status", "--json", "--book", book)[1])
    assert [(one["chapter"], one["framework"], one["state"]) for one in states] == [
        ("sums", "pytorch", "missing"),
        ("sums", "mxnet", "missing"),
        ("parts/means", "pytorch", "missing"),
    ]


# sync

TRANSLATIONS = {
    "_config.yml": "polybook: {source: en, languages: {en: en, fr: fr}, frameworks: [pytorch]}\n",
    "_toc.yml": "format: jb-book\nroot: a\n",
    "en/a.md": """\
# A

```{.python .input}
x = 1  # one
```

```{.python .input  n=2}
#@tab all
y = 2
```

```{.python .input}
z = 3
```
""",
    "fr/a.md": """\
Un titre
===

De la prose,  \t sur deux
lignes.
```{.python .input}
x = 1  # un
```
Encore.

  ```{.python .input  n=7}
  ```

```{.python .input}
z = 4  # trois
```
<!-- fin -->""",
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_sync_takes_code_and_leaves_every_other_byte(write_book, capsys, end, mark):
    book = write_book(TRANSLATIONS)
    path = book / "fr/a.md"
    before = TRANSLATIONS["fr/a.md"].replace("\n", end).encode()
    path.write_bytes(mark + before)
    assert call(capsys, "sync", "--book", book) == (0, "wrote fr/a.md\n", "")
    filled = TRANSLATIONS["fr/a.md"].replace("n=7}\n", "n=7}\n  #@tab all\n  y = 2\n")
    filled = filled.replace("z = 4  # trois", "z = 3")
    assert path.read_bytes() == mark + filled.replace("\n", end).encode()
    assert call(capsys, "sync", "--book", book) == (0, "", "")


def test_sync_writes_nothing_where_cells_cannot_be_told_apart(write_book, capsys):
    files = TRANSLATIONS | {"fr/a.md": "# A\n\n```{.python .input}\nx = 2\n```\n"}
    book = write_book(files)
    status, out, errors = call(capsys, "sync", "--book", book)
    assert (status, out) == (1, "")
    assert errors.startswith("fr/a.md:3: T002 There are 1 code cells here and 3 in en/a.md.")
    assert (book / "fr/a.md").read_text() == files["fr/a.md"]


def test_sync_never_removes_prose_that_an_unclosed_fence_swallowed(write_book, capsys):
    text = TRANSLATIONS["fr/a.md"].replace("z = 4  # trois\n```\n", "z = 4\n\nDe la prose précieuse.\n")
    book = write_book(TRANSLATIONS | {"fr/a.md": text})
    status, out, _ = call(capsys, "sync", "--book", book)
    assert (status, out) == (1, "")
    assert (book / "fr/a.md").read_text() == text


# execute


@pytest.fixture
def run_book(write_book):
    """A book with one short chapter that really runs."""
    if not (ENVIRONMENTS / "pytorch" / "bin" / "python").exists():
        pytest.skip("there is no environment .venvs/pytorch; `make execute` sets it up")
    book = write_book(
        {
            "_toc.yml": "format: jb-book\nroot: index\nchapters: [{file: run}]\n",
            "index.md": "# Index\n",
            "run.md": CHAPTER,
        }
    )
    (book / ".venvs").symlink_to(ENVIRONMENTS)
    return book


CHAPTER = """\
# Run

```{.python .input}
x = 1
```

```{.python .input}
x + 1
```
"""
RECORD = "outputs/pytorch/run.json"


def edit(book: Path, old: str, new: str) -> None:
    path = book / "run.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def outputs(book: Path) -> dict[str, bytes]:
    folder = book / "outputs"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def counted(capsys, book: Path, *options: str) -> tuple[int, str]:
    status, out, _ = call(capsys, "execute", "--book", book, *options)
    return status, out


@pytest.mark.slow
def test_what_was_run_is_fresh_until_its_code_changes(run_book, capsys):
    status, out, errors = call(capsys, "execute", "--smoke", "--book", run_book)
    assert (status, out) == (0, "1 run, 0 fresh already, 0 failed.\n")
    assert "Running: pytorch/run finished after" in errors
    assert outputs(run_book) == {}

    assert counted(capsys, run_book) == (0, "1 run, 0 fresh already, 0 failed.\n")
    assert call(capsys, "status", "--explain", "--book", run_book) == (0, "fresh    pytorch     run\n", "")
    first = outputs(run_book)
    assert b'"2"' in first["pytorch/run.json"]
    assert counted(capsys, run_book) == (0, "0 run, 1 fresh already, 0 failed.\n")
    assert outputs(run_book) == first

    edit(run_book, "# Run\n", "# Another title\n\nMore prose.\n")
    edit(run_book, "x = 1\n", "x = 1  # a comment\n")
    assert call(capsys, "status", "--book", run_book)[1] == "fresh    pytorch     run\n"

    edit(run_book, "x + 1\n", "x + 2\n")
    (line,) = call(capsys, "status", "--explain", "--book", run_book)[1].splitlines()
    assert line.startswith("stale    pytorch     run: ")
    assert "Cell 2" in line
    (state,) = json.loads(call(capsys, "status", "--json", "--book", run_book)[1])
    assert state["state"] == "stale" and "Cell 2" in state["reason"]


FAILURES = {
    "exception": ("1 / 0", "X001"),
    "death": ("import os\nos._exit(3)", "X002"),
    "time": ("import time\ntime.sleep(60)", "X003"),
}


@pytest.mark.slow
def test_what_fails_stores_nothing_and_keeps_what_there_was(run_book, capsys):
    assert counted(capsys, run_book)[0] == 0
    before = outputs(run_book)
    for code, finding in FAILURES.values():
        (run_book / "run.md").write_text(CHAPTER.replace("x + 1", code))
        status, out, errors = call(capsys, "execute", "--book", run_book, "--timeout", 2)
        assert (status, out) == (1, "0 run, 0 fresh already, 1 failed.\n")
        (line,) = [line for line in errors.splitlines() if not line.startswith("Running: ")]
        assert line.startswith(f"run.md:7: {finding} ") or line.startswith(f"run.md:8: {finding} ")
        assert outputs(run_book) == before
        assert call(capsys, "status", "--book", run_book)[1] == "stale    pytorch     run\n"


def test_a_missing_environment_is_a_finding(write_book, capsys):
    book = write_book({"_toc.yml": "format: jb-book\nroot: run\n", "run.md": CHAPTER})
    status, out, errors = call(capsys, "execute", "--book", book)
    assert (status, out) == (1, "0 run, 0 fresh already, 1 failed.\n")
    assert " X004 " in errors
    assert not (book / "outputs").exists()


@pytest.mark.slow
def test_a_damaged_record_is_a_note_and_runs_again(run_book, capsys):
    assert counted(capsys, run_book)[0] == 0
    record = run_book / RECORD
    good = record.read_bytes()
    record.write_bytes(good[: len(good) // 2])
    status, out, errors = call(capsys, "status", "--book", run_book)
    assert (status, out) == (0, "missing  pytorch     run\n")
    assert errors.startswith(f"{RECORD}: X005 ")
    out = call(capsys, "status", "--explain", "--book", run_book)[1]
    assert out == "missing  pytorch     run: Its stored result is damaged.\n"
    (state,) = json.loads(call(capsys, "status", "--json", "--book", run_book)[1])
    assert state["reason"] == "Its stored result is damaged."
    assert call(capsys, "check", "--book", run_book)[0] == 0
    status, _, errors = call(capsys, "check", "--outputs", "--book", run_book)
    assert (status, errors.count(f"{RECORD}: X005 ")) == (1, 1)
    assert counted(capsys, run_book) == (0, "1 run, 0 fresh already, 0 failed.\n")
    assert record.read_bytes() == good


@pytest.mark.slow
def test_results_that_are_gone_or_of_no_chapter_are_findings(run_book, capsys):
    status, _, errors = call(capsys, "check", "--outputs", "--book", run_book)
    assert (status, errors) == (1, "outputs: X018 Nothing is stored of any chapter. Run `make execute`.\n")
    assert counted(capsys, run_book)[0] == 0
    assert call(capsys, "check", "--outputs", "--book", run_book) == (0, "No findings.\n", "")
    (run_book / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    status, _, errors = call(capsys, "check", "--outputs", "--book", run_book)
    assert status == 1
    assert errors == (
        f"{RECORD}: X017 The book has no code in pytorch that this is the result of. "
        "Delete it with the folder of its plots, or put the chapter into `_toc.yml`.\n"
    )


def test_the_book_may_be_named_from_elsewhere(copy_book, capsys, monkeypatch):
    book = copy_book("tiny")
    monkeypatch.chdir(book.parent)
    assert call(capsys, "status", "--book", os.path.relpath(book))[0] == 0
