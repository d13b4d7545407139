"""The command line: one function per command, errors caught once.

Exit codes: 0 fine, 1 findings or failures, 2 wrong use.

A command imports what it needs when it is called, so `polybook status` waits for neither Sphinx nor kernels.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .diagnostics import Code, Diagnostic
from .errors import PolybookError, UsageError

if TYPE_CHECKING:
    from .pipeline.book import Book
    from .pipeline.inputs import Inputs
    from .pipeline.measures import Shard
    from .pipeline.units import State

#: Whether all is well: decides the exit code.
Outcome = bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command of `polybook`."""

    #: Its name on the command line.
    name: str
    #: What it does, one line.
    summary: str
    #: A call that a newcomer can copy.
    example: str
    #: Does it; returns whether all is well.
    run: Callable[[argparse.Namespace], Outcome]
    #: Adds its own options.
    options: Callable[[argparse.ArgumentParser], None] = lambda parser: None


class _Parser(argparse.ArgumentParser):
    """Words a wrong call like every other error."""

    def error(self, message: str) -> NoReturn:
        what = f"{message[0].upper()}{message[1:]}."
        raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, f"See `{self.prog} --help`."))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    gc.set_threshold(100_000, 50, 1000)  # chapters are many small objects that live long
    try:
        options = _parser().parse_args(arguments)
        command: Command = options.command
        return 0 if command.run(options) else 1
    except PolybookError as error:
        _print_findings(error.diagnostics)
        return error.exit_code
    except BrokenPipeError:
        return 1
    except OSError as error:
        _print_findings([_refusal(error)])
        return 1
    except KeyboardInterrupt:
        print("polybook: stopped; what was finished is kept.", file=sys.stderr)  # noqa: T201
        return 130


def _refusal(error: OSError) -> Diagnostic:
    """Return the finding for a file or folder that could not be read or written."""
    path = os.path.relpath(error.filename) if isinstance(error.filename, str) else "polybook"
    what = f"The operating system refused: {error.strerror or error}."
    return Diagnostic(path, 0, Code.UNUSABLE_FILE, what, "Look at its permissions and the disk's space.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="polybook", description="Builds textbooks in many languages and frameworks.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            epilog=f"example: {command.example}",
        )
        sub.add_argument("--book", type=Path, default=Path(), metavar="DIR", help="the book (default: here)")
        sub.set_defaults(command=command)
        command.options(sub)
    return parser


def _print(text: str) -> None:
    print(text)  # noqa: T201


def _print_findings(diagnostics: Iterable[Diagnostic], *, as_json: bool = False) -> Outcome:
    """Print findings; return whether there is none but notes."""
    found = list(diagnostics)
    if as_json:
        _print(json.dumps([one.as_json() for one in found], ensure_ascii=False, indent=1))
    else:
        for one in found:
            print(one, file=sys.stderr)  # noqa: T201
    return all(one.is_note for one in found)


def _load(options: argparse.Namespace) -> Book:
    from .pipeline.book import load_book

    return load_book(options.book.resolve())


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def _languages(options: argparse.Namespace, book: Book) -> list[str]:
    chosen = options.language or list(book.config.languages)
    return [_known("language", name, book.config.languages) for name in chosen]


def _known(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if name not in names:
        what = f"There is no {kind} `{name}` in this book."
        raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, f"Known: {', '.join(names)}."))
    return name


def _known_chapter(name: str, known: Iterable[str]) -> str:
    """Return the name of a chapter; where it is the path of its file, say what the name is."""
    names = list(known)
    path = f"/{name.removesuffix('.md')}"
    meant = max((each for each in names if path.endswith(f"/{each}")), key=len, default=None)
    if name not in names and meant is not None:
        what = f"There is no chapter `{name}` in this book."
        raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, f"Say `{meant}`."))
    return _known("chapter", name, names)


def _positive(option: str, number: int) -> int:
    if number < 1:
        what = f"`{option} {number}` is no number of jobs."
        raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, "Give it 1 or more."))
    return number


def _build(options: argparse.Namespace) -> Outcome:
    from .pipeline.inputs import read_inputs
    from .pipeline.units import BUILD_FOLDER

    root = options.book.resolve()
    inputs = read_inputs(root, options.language or ())
    fine = inputs.were_built() or _build_anew(options, inputs)
    _print(f"The site is at {root / BUILD_FOLDER / 'html' / 'index.html'}")
    return fine


def _build_anew(options: argparse.Namespace, inputs: Inputs) -> Outcome:
    from .pipeline.build import build_site
    from .pipeline.progress import Progress
    from .pipeline.surroundings import kept_of
    from .pipeline.units import data_names
    from .pipeline.workers import Workers

    with Workers(options.jobs) as workers:
        workers.prepare()
        book = _load(options)
        kept = kept_of(book, inputs)
        languages = _languages(options, book)
        inputs.forget_built()
        workers.share(len(languages))
        with Progress("Building the site", len(languages)) as progress:
            found = build_site(book, languages, progress, workers, kept)
    if not found:
        inputs.note_built(data_names(book))
    return _print_findings(found)


def _build_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", action="append", metavar="TAG", help="only this one; may be repeated")
    parser.add_argument(
        "-j", "--jobs", type=int, default=2, metavar="N", help="languages at a time (default: 2)"
    )


def _execute(options: argparse.Namespace) -> Outcome:
    from .pipeline.execution import Wishes, execute
    from .pipeline.units import find_units

    book = _load(options)
    for name in options.framework or ():
        _known("framework", name, book.config.frameworks)
    for name in options.chapter:
        _known_chapter(name, book.toc.chapters)
    units = [
        unit
        for unit in find_units(book)
        if (not options.framework or unit.framework in options.framework)
        and (not options.chapter or unit.chapter.name in options.chapter)
    ]
    for name in options.chapter:
        if not any(unit.chapter.name == name for unit in units):
            where = f" in {' or '.join(options.framework)}" if options.framework else ""
            what = f"The chapter `{name}` has no code{where} that could run."
            raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, "Leave it out."))
    if options.dask:
        _check_dask(options)
    jobs = 1 if options.jobs is None else _positive("--jobs", options.jobs)
    wishes = Wishes(
        force=options.force,
        smoke=options.smoke,
        accept=options.accept,
        shard=options.shard,
        jobs=jobs,
        dask=options.dask,
        memory=options.memory,
        cell_timeout=None if math.isinf(options.timeout) else options.timeout,
    )
    result = execute(book, units, wishes)
    fine = _print_findings(result.diagnostics)
    for diff in filter(None, result.diffs):
        print(diff, file=sys.stderr)  # noqa: T201
    more = f" {result.accepted} accepted." if options.accept else ""
    more += f" {result.left} left to other shards." if options.shard else ""
    _print(f"{result.run} run, {result.fresh} fresh already, {result.failed} failed.{more}")
    if options.accept and result.accepted + result.run + result.failed + result.left == 0:
        what, advice = "`--accept` has nothing to store.", "`--force` runs what is fresh as well."
        raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, advice))
    return fine


def _execute_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chapter", nargs="*", help="only these chapters")
    parser.add_argument("--framework", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--smoke", action="store_true", help="run everything in seconds and store nothing")
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        metavar="N",
        help="runs at a time, which share the cores (default: 1)",
    )
    parser.add_argument(
        "--memory",
        type=_size,
        metavar="SIZE",
        help="what kernels may hold together, such as 8G (default: no bound)",
    )
    parser.add_argument(
        "--dask",
        type=_scheduler,
        metavar="ADDRESS",
        help="run on a Dask cluster, such as tcp://10.0.0.1:8786, not here",
    )
    parser.add_argument(
        "--shard",
        type=_shard,
        metavar="K/N",
        help="do the K-th of N equal parts of the work, for CI matrices",
    )
    parser.add_argument("--force", action="store_true", help="run what is fresh as well")
    parser.add_argument(
        "--accept",
        action="store_true",
        help="store results that differ from those of the same code before, also of an earlier run",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=1800.0,
        metavar="SECONDS",
        help="the longest a cell may run; inf for no limit (default: 1800)",
    )


def _check_dask(options: argparse.Namespace) -> None:
    """Refuse what has no meaning where a Dask cluster runs the code."""
    if find_spec("distributed") is None:
        what, advice = "`--dask` needs Dask.", "Install it with `pip install 'polybook[dask]'`."
        raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, advice))
    for option, value in (("--jobs", options.jobs), ("--memory", options.memory)):
        if value is not None:
            what = f"`{option}` says what this machine may do, and `--dask` leaves it to others."
            advice = "Set the threads and resources of the workers."
            raise UsageError(Diagnostic("polybook", 0, Code.BAD_USAGE, what, advice))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text} is no time in seconds; write for example 600")
    return seconds


def _scheduler(text: str) -> str:
    match = re.fullmatch(r"(?:tcp|tls)://(?:[^\s:/\[\]]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", text)
    if match is None or not 0 < int(match[1]) < 2**16:
        message = f"{text} is no address of a scheduler; write for example tcp://10.0.0.1:8786"
        raise argparse.ArgumentTypeError(message)
    return text


def _size(text: str) -> int:
    from .pipeline.memory import read_size

    size = read_size(text)
    if size is None:
        raise argparse.ArgumentTypeError(f"{text} is no size; write for example 8G")
    return size


def _shard(text: str) -> Shard:
    from .pipeline.measures import read_shard

    shard = read_shard(text)
    if shard is None:
        raise argparse.ArgumentTypeError(f"{text} is no shard; write for example 2/8")
    return shard


def _library(options: argparse.Namespace) -> Outcome:
    from .pipeline.sources import check_libraries, write_libraries

    book = _load(options)
    if options.check:
        return _print_findings(check_libraries(book))
    found, written = write_libraries(book)
    for path in written:
        _print(f"wrote {path}")
    return _print_findings(found)


def _library_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")


def _notebooks(options: argparse.Namespace) -> Outcome:
    from .pipeline.notebooks import write_notebooks
    from .pipeline.units import BUILD_FOLDER

    book = _load(options)
    folder = book.root / BUILD_FOLDER / "notebooks"
    written = write_notebooks(book, folder)
    fine = _print_findings(book.check())
    _print(f"{len(written)} notebooks in {folder}")
    return fine


def _check(options: argparse.Namespace) -> Outcome:
    from .pipeline.sources import check_libraries
    from .pipeline.units import check_outputs

    book = _load(options)
    found = [*book.check(), *check_libraries(book)]
    if options.outputs:
        found += check_outputs(book)
    fine = _print_findings(dict.fromkeys(found), as_json=options.json)
    if not options.json and not found:
        _print("No findings.")
    is_damaged = any(one.code is Code.BROKEN_RECORD for one in found)  # elsewhere that is a note
    return fine and not is_damaged


def _check_options(parser: argparse.ArgumentParser) -> None:
    _json_option(parser)
    parser.add_argument("--outputs", action="store_true", help="check the stored results as well")


def _status(options: argparse.Namespace) -> Outcome:
    from .pipeline.units import find_state, find_units

    book = _load(options)
    states = []
    for unit in find_units(book):
        state, found = find_state(unit)
        states.append(state)
        _print_findings(found)
    if options.json:
        _print(json.dumps([_state_json(state) for state in states], ensure_ascii=False, indent=1))
        return True
    for state in states:
        line = f"{state.word:8} {state.unit.framework:11} {state.unit.chapter.name}"
        _print(f"{line}: {state.reason}" if options.explain and state.reason else line)
    for name in book.toc.chapters:
        missing = [tag for tag, chapters in book.translated.items() if name not in chapters]
        if missing:
            _print(f"{'untranslated':12} {name}: {', '.join(missing)}")
    return True


def _state_json(state: State) -> dict[str, str]:
    return {
        "chapter": state.unit.chapter.name,
        "framework": state.unit.framework,
        "state": state.word,
        "reason": state.reason,
    }


def _status_options(parser: argparse.ArgumentParser) -> None:
    _json_option(parser)
    parser.add_argument("--explain", action="store_true", help="say why results are stale")


def _sync(options: argparse.Namespace) -> Outcome:
    from .pipeline.book import load_book
    from .pipeline.sources import sync_translations

    book = _load(options)
    for path in sync_translations(book):
        _print(f"wrote {path}")
    return _print_findings(load_book(book.root).check())


def _serve(options: argparse.Namespace) -> Outcome:
    from rich.console import Console

    from .pipeline.serve import serve

    book = _load(options)
    serve(book.root, options.port, Console())
    return True


def _serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=8000, help="the port on 127.0.0.1 (default: 8000)")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError(f"there is no port {text}")
    return int(text)


COMMANDS = (
    Command("build", "Build the site.", "polybook build --language pt", _build, _build_options),
    Command(
        "execute",
        "Run the code whose results are stale or missing, once for all languages.",
        "polybook execute deep-rnn --framework pytorch",
        _execute,
        _execute_options,
    ),
    Command(
        "library",
        "Write the library from the saved cells.",
        "polybook library --check",
        _library,
        _library_options,
    ),
    Command(
        "notebooks", "Write the notebooks of every language and framework.", "polybook notebooks", _notebooks
    ),
    Command(
        "check",
        "Check chapters, references, translations and the library.",
        "polybook check --json",
        _check,
        _check_options,
    ),
    Command(
        "status",
        "List which results are fresh, stale or missing.",
        "polybook status --explain",
        _status,
        _status_options,
    ),
    Command("sync", "Bring the code of translations up to the source language.", "polybook sync", _sync),
    Command(
        "serve",
        "Serve the site on this machine and rebuild it on every change.",
        "polybook serve --port 8080",
        _serve,
        _serve_options,
    ),
)
