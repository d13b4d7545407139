"""The book's own files, `_config.yml` and `_toc.yml`, as values.

polybook's settings are the key `polybook:` of Jupyter Book's `_config.yml`:

    polybook:
      source: en                      # the source language, which leads
      languages:                      # the folder of each language's chapters
        en: chapters/en
        zh: {folder: chapters/zh, title: 书名, framework: mxnet}
      frameworks: [pytorch, mxnet]    # in the order of the tabs; the first is the default
      chapters:                       # what single chapters need and must give
        rnn: {gpu: true, expect: {val_ppl: "< 9"}}
      trains: [fit]                   # functions and methods whose call must leave a plot with its data
      notebooks: {repository: owner/name}   # on GitHub, where hosted services find notebooks
      library:
        module: d2l                   # the package that `polybook library` writes
        aliases:                      # framework-neutral names, per framework
          pytorch: {matmul: torch.matmul}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from sphinx_external_toc.api import FileItem
from sphinx_external_toc.parsing import MalformedError, parse_toc_data

from .bounds import Bound, read_bound
from .diagnostics import Code, Diagnostic
from .errors import ConfigError
from .frameworks import FRAMEWORKS
from .languages import LANGUAGES, Language
from .services import HOSTED, Service
from .terms import Terms

CONFIG_FILE = "_config.yml"
TOC_FILE = "_toc.yml"

_KEYS = (
    "source",
    "languages",
    "frameworks",
    "library",
    "chapters",
    "trains",
    "terms",
    "cover",
    "discussions",
    "notebooks",
)
_LANGUAGE_KEYS = ("folder", "title", "author", "framework", "captions")
_CHAPTER_KEYS = ("gpu", "expect")
_NOTEBOOKS_KEYS = ("repository", "branch", "folder", "services")
_LIBRARY_KEYS = ("module", "aliases")
_SITE_URL = re.compile(r"https?://[^\s?#]+")
_TERMS_KEYS = ("text", "plots")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
#: A set as Python prints it, in whatever order.
_SET = re.compile(r"(?<=\{)'[^{}]*'(?=\})")


@dataclass(frozen=True, slots=True)
class BookLanguage:
    """A language of the book."""

    #: The language itself, its name and words.
    language: Language
    #: Folder of its chapters, relative to the book; `.` for the book's root.
    folder: str
    #: The book's title in this language.
    title: str
    #: The framework of cells without a tab mark.
    default_framework: str
    #: What the parts of the table of contents are called in this language, by their captions there.
    captions: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Who wrote the book, as this language says it; empty where that is the same in all.
    author: str = ""


@dataclass(frozen=True, slots=True)
class ChapterSettings:
    """What one chapter's code needs and must give."""

    #: Whether it runs on a GPU.
    gpu: bool = False
    #: What the last value of each curve of a name has to satisfy, in every framework.
    expect: Mapping[str, Bound] = field(default_factory=dict, hash=False)
    #: 1-based line in `_config.yml`.
    line: int = 0


@dataclass(frozen=True, slots=True)
class Hosting:
    """The GitHub repository that hosted services find the book's notebooks in."""

    #: `owner/name`.
    repository: str
    #: The branch they lie on.
    branch: str
    #: The folder they lie in.
    folder: str
    #: The services that readers are led to.
    services: tuple[Service, ...]

    def place(self, path: str) -> str:
        """Return where on GitHub a notebook lies."""
        folder = f"{self.folder}/" if self.folder else ""
        return f"{self.repository}/blob/{self.branch}/{folder}{path}"


@dataclass(frozen=True, slots=True)
class Config:
    """A book's settings."""

    #: The book's title in the source language.
    title: str
    #: Who wrote it.
    author: str
    #: BCP 47 tag of the source language.
    source: str
    #: The languages in the order of the configuration.
    languages: Mapping[str, BookLanguage]
    #: Framework names in the order of the tabs, the default first.
    frameworks: tuple[str, ...]
    #: The package that the library is written to, or `None` for a book without one.
    library: str | None
    #: Per framework, what each framework-neutral name stands for.
    aliases: Mapping[str, Mapping[str, str]]
    #: What the configuration says of single chapters, by their names.
    chapters: Mapping[str, ChapterSettings]
    #: The names of functions and methods that train: a cell that calls one must leave a plot with its data.
    trains: tuple[str, ...]
    #: The file with the table of terms, relative to the book, or `None` for a book without one.
    terms: str | None
    #: The picture of the root page, relative to the book, or `None`.
    cover: str | None
    #: Where a page is discussed: an address with `{language}` and `{page}`, or `None`.
    discussions: str | None
    #: Where the site is published, without a slash at the end; empty where nothing says so.
    site_url: str
    #: Where hosted services find notebooks, or `None` for a book that has none for them.
    hosting: Hosting | None
    #: Bibliography files that Jupyter Book's own key names, relative to the book.
    bibliographies: tuple[str, ...]
    #: The whole of `_config.yml`, for Jupyter Book.
    raw: Mapping[str, Any] = field(hash=False)

    @property
    def translations(self) -> list[str]:
        """Tags of the languages that the book is translated into."""
        return [tag for tag in self.languages if tag != self.source]

    @property
    def source_language(self) -> BookLanguage:
        """The language that leads."""
        return self.languages[self.source]


@dataclass(frozen=True, slots=True)
class TocEntry:
    """A chapter's place in the book."""

    #: The chapter's path inside a language's folder, without its ending.
    chapter: str
    #: Its number, `(3,)` or `(3, 2)`; empty for one that is not numbered.
    number: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Toc:
    """The table of contents."""

    #: The chapters in reading order, the root first.
    entries: tuple[TocEntry, ...]
    #: The name of the chapter that the book opens with.
    root: str
    #: The whole of `_toc.yml`, for Jupyter Book.
    raw: Mapping[str, Any] = field(hash=False)

    @property
    def chapters(self) -> tuple[str, ...]:
        """The chapters' names in reading order."""
        return tuple(entry.chapter for entry in self.entries)


def read_config(text: str, path: str = CONFIG_FILE) -> Config:
    """Return the settings in the text of a `_config.yml`.

    Raises:
        ConfigError: With the line and the keys or values that would be right.
    """
    reader = _Reader(text, path, Code.BAD_CONFIG)
    raw = reader.mapping(reader.data, ())
    settings = reader.mapping(raw.get("polybook"), ("polybook",), _KEYS)
    frameworks = tuple(
        dict.fromkeys(reader.strings(settings.get("frameworks", []), ("polybook", "frameworks")))
    )
    for name in frameworks:
        reader.one_of(name, FRAMEWORKS, ("polybook", "frameworks"), "framework")
    if not frameworks:
        raise reader.error(("polybook",), "There are no frameworks.", _example("frameworks: [pytorch]"))
    title = str(raw.get("title") or "Book")
    languages = dict(_languages(reader, settings, title, frameworks))
    source = reader.one_of(
        str(settings.get("source", next(iter(languages)))), languages, ("polybook", "source"), "language"
    )
    library = reader.mapping(settings.get("library", {}), ("polybook", "library"), _LIBRARY_KEYS)
    return Config(
        title=title,
        author=str(raw.get("author") or ""),
        source=source,
        languages=languages,
        frameworks=frameworks,
        library=_module(reader, library),
        aliases=_aliases(reader, library),
        chapters=dict(_chapters(reader, settings)),
        trains=tuple(reader.strings(settings.get("trains", []), ("polybook", "trains"))),
        terms=_text(reader, settings, "terms"),
        cover=_text(reader, settings, "cover"),
        discussions=_text(reader, settings, "discussions"),
        site_url=(site_url := _site_url(reader, raw)),
        hosting=_hosting(reader, settings, site_url),
        bibliographies=tuple(reader.strings(raw.get("bibtex_bibfiles", []), ("bibtex_bibfiles",))),
        raw={key: value for key, value in raw.items() if key != "polybook"},
    )


def _languages(
    reader: _Reader, settings: Mapping[str, Any], title: str, frameworks: Sequence[str]
) -> Iterator[tuple[str, BookLanguage]]:
    place = ("polybook", "languages")
    languages = reader.mapping(settings.get("languages", {}), place)
    if not languages:
        raise reader.error(("polybook",), "There are no languages.", _example("languages: {en: .}"))
    for tag, value in languages.items():
        here = (*place, tag)
        reader.one_of(tag, LANGUAGES, here, "language")
        options = value if isinstance(value, str) else reader.mapping(value, here, _LANGUAGE_KEYS)
        if isinstance(options, str):
            options = {"folder": options}
        default = str(options.get("framework", frameworks[0]))
        reader.one_of(default, frameworks, (*here, "framework"), "framework")
        folder = str(options.get("folder", tag)).strip("/") or "."
        language_title = str(options.get("title", title))
        captions = reader.mapping(options.get("captions", {}), (*here, "captions"))
        captions = {str(caption): str(word) for caption, word in captions.items()}
        author = str(options.get("author") or "")
        yield tag, BookLanguage(LANGUAGES[tag], folder, language_title, default, captions, author)


def _text(reader: _Reader, settings: Mapping[str, Any], key: str) -> str | None:
    """Return a setting that is one line of text."""
    value = settings.get(key)
    if value is not None and not isinstance(value, str):
        raise reader.error(("polybook", key), f"`{key}` must be a text.", f"Write `{key}: ...`.")
    return value or None


def _chapters(reader: _Reader, settings: Mapping[str, Any]) -> Iterator[tuple[str, ChapterSettings]]:
    place = ("polybook", "chapters")
    for name, value in reader.mapping(settings.get("chapters", {}), place).items():
        here = (*place, str(name))
        options = reader.mapping(value, here, _CHAPTER_KEYS)
        gpu = options.get("gpu", False)
        if not isinstance(gpu, bool):
            raise reader.error((*here, "gpu"), "`gpu` must be true or false.", "Write `gpu: true`.")
        bounds = reader.mapping(options.get("expect", {}), (*here, "expect"))
        expect = {
            str(curve): _bound(reader, text, (*here, "expect", str(curve))) for curve, text in bounds.items()
        }
        yield str(name), ChapterSettings(gpu, expect, reader.line(here))


def _bound(reader: _Reader, text: Any, place: tuple[str, ...]) -> Bound:
    bound = read_bound(str(text))
    if bound is None:
        advice = f'Write for example `{place[-1]}: "< 9"`; known: <, <=, >, >=.'
        raise reader.error(place, f"`{text}` is no bound.", advice)
    return bound


def _site_url(reader: _Reader, raw: Mapping[str, Any]) -> str:
    html = raw.get("html")
    url = str(html.get("baseurl") or "") if isinstance(html, Mapping) else ""
    if url and not _SITE_URL.fullmatch(url):
        advice = "Write for example `baseurl: https://example.org/book`."
        raise reader.error(("html", "baseurl"), f"`{url}` is no address of a site.", advice)
    return url.rstrip("/")


def _hosting(reader: _Reader, settings: Mapping[str, Any], site_url: str) -> Hosting | None:
    if "notebooks" not in settings:
        return None
    place = ("polybook", "notebooks")
    options = reader.mapping(settings["notebooks"], place, _NOTEBOOKS_KEYS)
    repository = str(options.get("repository", ""))
    if not _REPOSITORY.fullmatch(repository):
        what = f"`{repository}` is no repository on GitHub."
        raise reader.error((*place, "repository"), what, "Write for example `repository: owner/name`.")
    if not site_url:
        what = "Hosted notebooks take the library and pictures from the site, and nothing says where it is."
        raise reader.error(place, what, "Write for example `html: {baseurl: https://example.org/book}`.")
    names = reader.strings(options.get("services", list(HOSTED)), (*place, "services"))
    services = [HOSTED[reader.one_of(name, HOSTED, (*place, "services"), "service")] for name in names]
    folder = str(options.get("folder", "notebooks")).strip("/")
    return Hosting(repository, str(options.get("branch", "gh-pages")), folder, tuple(services))


def _module(reader: _Reader, library: Mapping[str, Any]) -> str | None:
    if "module" not in library:
        return None
    name = str(library["module"])
    if not name.isidentifier():
        place = ("polybook", "library", "module")
        raise reader.error(place, f"`{name}` cannot be the name of a package.", "Write for example `d2l`.")
    return name


def _aliases(reader: _Reader, library: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    place = ("polybook", "library", "aliases")
    aliases = reader.mapping(library.get("aliases", {}), place, tuple(FRAMEWORKS))
    return {
        framework: {
            str(name): str(meaning) for name, meaning in reader.mapping(meanings, (*place, framework)).items()
        }
        for framework, meanings in aliases.items()
    }


def read_terms(text: str, path: str, languages: Sequence[str]) -> Terms:
    """Return the table of terms in a YAML text.

    Args:
        text: The text; for each term of the source language a mapping from languages to forms.
        path: The file it comes from, for messages.
        languages: Tags of the languages that the book is translated into.

    Raises:
        ConfigError: The text is no table of terms.
    """
    reader = _Reader(text, path, Code.BAD_TERMS)
    tables: dict[str, dict[str, dict[str, list[str]]]] = {key: {} for key in _TERMS_KEYS}
    lines: dict[str, int] = {}
    for key, table in reader.mapping(reader.data or {}, (), _TERMS_KEYS).items():
        for term, forms in reader.mapping(table or {}, (key,)).items():
            place = (key, str(term))
            lines[str(term)] = reader.line(place)
            tables[key][str(term)] = {
                tag: [form] if isinstance(form, str) else list(reader.strings(form, (*place, tag)))
                for tag, form in reader.mapping(forms, place, languages).items()
            }
    return Terms(path, tables["text"], tables["plots"], lines)


def read_toc(text: str, path: str = TOC_FILE) -> Toc:
    """Return the table of contents in the text of a `_toc.yml`, in Jupyter Book's format.

    Raises:
        ConfigError: The text is no table of contents, or names no chapter.
    """
    reader = _Reader(text, path, Code.BAD_TOC)
    if not reader.data:
        raise ConfigError(
            Diagnostic(path, 0, Code.EMPTY_BOOK, "The book has no chapters.", "Name them in `_toc.yml`.")
        )
    raw = reader.mapping(reader.data, ())
    _check_files(reader)
    try:
        site_map = parse_toc_data(dict(raw))
    except (MalformedError, ValueError, KeyError, TypeError) as error:
        reason = _SET.sub(lambda found: ", ".join(sorted(found[0].split(", "))), str(error).rstrip("."))
        what = f"This is no table of contents: {reason}."
        advice = "See Jupyter Book's documentation of `_toc.yml`."
        raise ConfigError(Diagnostic(path, 1, Code.BAD_TOC, what, advice)) from error
    counter = _Counter()
    root = chapter_name(str(site_map.root.docname))
    entries = [TocEntry(root, ())]
    for tree in site_map.root.subtrees:
        entries += _entries(site_map, tree, counter, (), bool(tree.numbered))
    return Toc(tuple(entries), root, raw)


def _check_files(reader: _Reader) -> None:
    """Look at each place where a table of contents names files."""
    seen: set[str] = set()
    for key, value, line in _scalars(reader.node):
        if key == "glob":
            what = f"A pattern such as `{value}` gives chapters no order."
            raise reader.error_at(line, what, "Name each chapter with `file:`.")
        if key not in ("root", "file"):
            continue
        name = chapter_name(value)
        if name.startswith("/") or "\\" in name or {"", ".", ".."} & set(name.split("/")):
            advice = "Write its path inside a language's folder, such as `rnn/gru`."
            raise reader.error_at(line, f"`{value}` cannot be a chapter.", advice)
        if name in seen:
            raise reader.error_at(line, f"The chapter `{name}` is named twice.", "Take one of them out.")
        seen.add(name)


class _Counter:
    """Numbers the chapters on, across the parts of a book."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last


def _entries(
    site_map: Any, tree: Any, counter: _Counter, parent: tuple[int, ...], numbered: bool
) -> Iterator[TocEntry]:
    for item in tree.items:
        if not isinstance(item, FileItem):
            continue
        number = (*parent, counter.next()) if numbered else ()
        yield TocEntry(chapter_name(str(item)), number)
        inner = _Counter()
        for subtree in site_map[str(item)].subtrees:
            yield from _entries(site_map, subtree, inner, number, numbered)


def chapter_name(file: str) -> str:
    """Return a chapter's name without the ending that `_toc.yml` may give it."""
    return file.removesuffix(".md").removesuffix(".ipynb")


def _example(line: str) -> str:
    return f"Write for example `{line}` under `polybook:`."


class _Reader:
    """Looks into a YAML text and words what is wrong with it, with its line."""

    def __init__(self, text: str, path: str, code: Code) -> None:
        self.path = path
        self.code = code
        try:
            loader = yaml.SafeLoader(text)
            self.node = loader.get_single_node()
            repeated = next(_repeated_keys(self.node), None)  # before keys are merged
            self.data = loader.construct_document(self.node) if self.node else None
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: the 31st of February
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            problem = " ".join(str(getattr(error, "problem", None) or error).split())
            what = f"This is not YAML: {problem}."
            raise ConfigError(Diagnostic(path, line, code, what, "Mend the line.")) from error
        if repeated:
            key, line, first = repeated
            raise self.error_at(line, f"`{key}` is there already, in line {first}.", "Take one of them out.")

    def error(self, place: Sequence[str], what: str, advice: str) -> ConfigError:
        """Return the error at the key that `place` leads to."""
        return self.error_at(self.line(place), what, advice)

    def error_at(self, line: int, what: str, advice: str) -> ConfigError:
        """Return the error at a line."""
        return ConfigError(Diagnostic(self.path, line, self.code, what, advice))

    def mapping(
        self, value: Any, place: tuple[str, ...], known: Sequence[str] | None = None
    ) -> Mapping[str, Any]:
        """Return `value` if it is a mapping of known keys."""
        name = place[-1] if place else self.path
        if not isinstance(value, Mapping):
            advice = f"Its keys: {', '.join(known)}." if known else "Add its keys."
            raise self.error(place, f"`{name}` must be a mapping of keys to values.", advice)
        for key in value:
            if known is not None and key not in known:
                what = f"`{name}` has no key `{key}`."
                raise self.error((*place, str(key)), what, f"Known keys: {', '.join(known)}.")
        return value

    def strings(self, value: Any, place: tuple[str, ...]) -> Sequence[str]:
        """Return `value` if it is a list of texts."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(place, f"`{place[-1]}` must be a list of names.", "Write `[a, b]`.")
        return value

    def one_of(
        self, value: str, known: Mapping[str, Any] | Sequence[str], place: tuple[str, ...], kind: str
    ) -> str:
        """Return `value` if it is among `known`."""
        if value not in known:
            raise self.error(place, f"There is no {kind} `{value}` here.", f"Known: {', '.join(known)}.")
        return value

    def line(self, place: Sequence[str]) -> int:
        """Return the line of the key that `place` leads to."""
        node, line = self.node, 1
        for name in place:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            for key, value in pairs:
                if key.value == name:
                    node, line = value, key.start_mark.line + 1
                    break
            else:
                return line
        return line


def _scalars(node: yaml.Node | None, key: str = "") -> Iterator[tuple[str, str, int]]:
    """Yield every plain value of a YAML text with the key nearest above it and its line."""
    match node:
        case yaml.ScalarNode():
            yield key, node.value, node.start_mark.line + 1
        case yaml.SequenceNode():
            for item in node.value:
                yield from _scalars(item, key)
        case yaml.MappingNode():
            for name, value in node.value:
                yield from _scalars(value, str(name.value))


def _repeated_keys(root: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    """Yield each key that its mapping has already, with its line and the first one's; YAML takes the last."""
    waiting, seen = [root], set()  # an anchor may stand for what is around it
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case yaml.SequenceNode():
                waiting += reversed(node.value)
            case yaml.MappingNode():
                lines: dict[str, int] = {}
                for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                    line = key.start_mark.line + 1
                    if key.value in lines:
                        yield key.value, line, lines[key.value]
                    lines.setdefault(key.value, line)
                waiting += [value for _, value in reversed(node.value)]
