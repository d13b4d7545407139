"""What polybook tells an author: one line with a place, a code, what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Code(Enum):
    """Every finding polybook can report, named for what is wrong.

    The letter is the family: B the book's files, D the dialect, R references, L the library,
    T translations, X execution and stored results.
    """

    #: A file's bytes are not UTF-8.
    NOT_UTF8 = "B001"
    #: `_toc.yml` names a chapter that has no file in the source language.
    MISSING_CHAPTER = "B002"
    #: The book has no chapters.
    EMPTY_BOOK = "B003"
    #: A chapter is not translated; readers get the source language.
    UNTRANSLATED_CHAPTER = "B004"
    #: `_config.yml` cannot be used.
    BAD_CONFIG = "B005"
    #: `_toc.yml` cannot be used.
    BAD_TOC = "B006"
    #: The command was called wrongly.
    BAD_USAGE = "B007"
    #: Sphinx failed or warned.
    RENDERING = "B008"
    #: The operating system refused a file or a folder.
    UNUSABLE_FILE = "B009"
    #: The table of terms cannot be used.
    BAD_TERMS = "B010"
    #: A code fence is never closed.
    UNCLOSED_FENCE = "D001"
    #: `:begin_tab:` without `:end_tab:`.
    UNCLOSED_TAB_BLOCK = "D002"
    #: `:end_tab:` without `:begin_tab:`.
    UNOPENED_TAB_BLOCK = "D003"
    #: A framework that the book does not have.
    UNKNOWN_FRAMEWORK = "D004"
    #: A label, width or height with nothing before it that could carry it.
    MISPLACED_MARK = "D005"
    #: `#@save` with no statement to save.
    SAVE_WITHOUT_STATEMENT = "D006"
    #: A cell's code is not Python.
    INVALID_CODE = "D007"
    #: A role that the dialect does not have.
    UNKNOWN_ROLE = "D008"
    #: A sentence that a line break turns into a list.
    ACCIDENTAL_LIST = "D009"
    #: One label on two things.
    DUPLICATE_LABEL = "R001"
    #: A reference to a label that does not exist.
    UNKNOWN_LABEL = "R002"
    #: A citation of a work that is in no bibliography.
    UNKNOWN_CITATION = "R003"
    #: An image that does not exist.
    MISSING_IMAGE = "R004"
    #: A bibliography file that does not exist or cannot be read.
    BAD_BIBLIOGRAPHY = "R005"
    #: A link to a chapter that the book does not have.
    UNKNOWN_CHAPTER = "R006"
    #: Two saved definitions of one name.
    SAVED_TWICE = "L001"
    #: A saved definition uses a name that is saved nowhere.
    NAME_NOT_SAVED = "L002"
    #: `add_to_class` for a class that is not saved.
    CLASS_NOT_SAVED = "L003"
    #: The library on disk is not what the chapters say.
    LIBRARY_OUT_OF_DATE = "L004"
    #: A translation's code differs from the source language's.
    CODE_DIFFERS = "T001"
    #: A translation has another number of code cells.
    CELLS_DIFFER = "T002"
    #: A translation's label is missing or new.
    LABELS_DIFFER = "T003"
    #: A language has no word for a term.
    UNTRANSLATED_TERM = "T004"
    #: A cell raised an exception.
    CELL_RAISED = "X001"
    #: A kernel died while it ran a cell.
    KERNEL_DIED = "X002"
    #: A cell ran longer than it may.
    CELL_TIMED_OUT = "X003"
    #: A framework's environment does not exist, or is not what the book pins.
    MISSING_ENVIRONMENT = "X004"
    #: A stored result is damaged.
    BROKEN_RECORD = "X005"
    #: A chapter needs a GPU and the machine has none.
    NO_GPU = "X008"
    #: Another polybook is writing results.
    STORE_IN_USE = "X009"
    #: A result does not satisfy the bound that the author set.
    BOUND_NOT_MET = "X010"
    #: A stored result is an error message.
    ERROR_IN_RESULT = "X011"
    #: A plot of curves that have no points.
    PLOT_WITHOUT_DATA = "X012"
    #: A rerun of the same code gave another result.
    RESULT_DIFFERS = "X013"
    #: A run needs more memory than runs may have.
    OUT_OF_MEMORY = "X014"
    #: A Dask cluster cannot be reached, or lost a run.
    CLUSTER = "X015"
    #: A cell that trains left no plot.
    NO_PLOT = "X016"
    #: A stored result that no code of the book belongs to.
    ORPHANED_RESULT = "X017"
    #: No result is stored at all.
    NO_RESULTS = "X018"


#: Findings after which the rest of a chapter may be misread.
SYNTAX = frozenset({Code.UNCLOSED_FENCE, Code.UNCLOSED_TAB_BLOCK, Code.UNOPENED_TAB_BLOCK, Code.INVALID_CODE})

#: Findings that inform and do not fail a command.
NOTES = frozenset({Code.UNTRANSLATED_CHAPTER, Code.BROKEN_RECORD})


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding; its text is the line that is printed."""

    #: The file, relative to the book.
    path: str
    #: 1-based line, or 0 where the file as a whole is meant.
    line: int
    #: What kind of finding it is.
    code: Code
    #: What is wrong, a sentence.
    what: str
    #: What to do about it, a sentence.
    advice: str

    @property
    def is_note(self) -> bool:
        """Whether the finding only informs."""
        return self.code in NOTES

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return " ".join(f"{place}: {self.code.value} {self.what} {self.advice}".splitlines())

    def as_json(self) -> dict[str, str | int]:
        """Return the finding for `--json`."""
        return {
            "path": self.path,
            "line": self.line,
            "code": self.code.value,
            "name": self.code.name.lower().replace("_", "-"),
            "what": self.what,
            "advice": self.advice,
        }
