"""Numbers, and the words of references in the four languages."""

from __future__ import annotations

import pytest

from polybook.citations import Bibliography
from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.languages import LANGUAGES
from polybook.references import Chapter, Index, Kind, build_index, check_references

CHAPTERS = {
    ("index", ()): "# Start\n:label:`start`\n\n## Inside\n:label:`inside`\n\n![Free](a.svg)\n:label:`free`\n",
    ("intro", (1,)): "# Intro\n:label:`intro`\n",
    ("rnn", (3,)): """\
# Recurrent Networks
:label:`rnn`

## First
:label:`first`

### Deeper
:label:`deeper`

## Second
:label:`second`

![A figure](a.svg)
:label:`fig_1`

![](a.svg)

![](a.svg)
:label:`fig_2`

![Captioned](a.svg)

:A table

| a |
|---|
| b |

| a |
|---|
| b |
:label:`tab_2`

$$a$$

$$b$$
:eqlabel:`eq_1`

$$c$$
:eqlabel:`eq_2`

####  Much deeper
:label:`jump`
""",
    ("rnn/gru", (3, 2)): "# Gates\n:label:`gru`\n\n## Reset\n:label:`reset`\n\n$$a$$\n:eqlabel:`eq_gru`\n",
}


def chapters_of(texts) -> list[Chapter]:
    return [Chapter.of(TocEntry(*place), parse(text, f"{place[0]}.md")) for place, text in texts.items()]


def index_of(texts, language="en") -> Index:
    return build_index(chapters_of(texts), LANGUAGES[language], Bibliography({}))


def test_numbers_and_kinds():
    targets = index_of(CHAPTERS).targets
    assert {label: (target.kind, target.number) for label, target in targets.items()} == {
        "start": (Kind.CHAPTER, ""),
        "inside": (Kind.SECTION, ""),
        "free": (Kind.FIGURE, "1"),
        "intro": (Kind.CHAPTER, "1"),
        "rnn": (Kind.CHAPTER, "3"),
        "first": (Kind.SECTION, "3.1"),
        "deeper": (Kind.SECTION, "3.1.1"),
        "second": (Kind.SECTION, "3.2"),
        "fig_1": (Kind.FIGURE, "3.1"),
        "fig_2": (Kind.FIGURE, "3.2"),
        "tab_2": (Kind.TABLE, "3.2"),
        "eq_1": (Kind.EQUATION, "3.1"),
        "eq_2": (Kind.EQUATION, "3.2"),
        "jump": (Kind.SECTION, "3.2.0.1"),
        "gru": (Kind.SECTION, "3.2"),
        "reset": (Kind.SECTION, "3.2.1"),
        "eq_gru": (Kind.EQUATION, "3.2.1"),
    }


WORDS = {
    "en": ("Chapter 3", "Section 3.2", "Fig. 3.1", "Table 3.2", "(3.1)"),
    "pt": ("Capítulo 3", "Seção 3.2", "Figura 3.1", "Tabela 3.2", "(3.1)"),
    "zh": ("第 3 章", "第 3.2 节", "图 3.1", "表 3.2", "(3.1)"),
    "fr": ("chapitre 3", "section 3.2", "fig. 3.1", "tableau 3.2", "(3.1)"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_before_numbers(language):
    index = index_of(CHAPTERS, language)
    labels = ("rnn", "second", "fig_1", "tab_2", "eq_1")
    assert tuple(index.words(index.targets[label], "numref") for label in labels) == WORDS[language]


def test_what_has_no_number_and_what_is_referred_to_by_ref_is_called_by_its_title():
    index = index_of(CHAPTERS)
    assert index.words(index.targets["start"], "numref") == "Start"
    assert index.words(index.targets["second"], "ref") == "Second"
    assert index.words(index.targets["fig_1"], "ref") == "A figure"
    assert index.words(index.targets["eq_1"], "ref") == "eq_1"


def test_a_label_of_two_things_is_the_first_one_and_both_places_are_named():
    texts = {("a", (1,)): "# A\n:label:`x`\n", ("b", (2,)): "\n# B\n\n:label:`x`\n"}
    index = index_of(texts)
    assert index.targets["x"].chapter == "a"
    assert list(map(str, index.diagnostics)) == [
        "b.md:4: R001 The label `x` is already at a.md:2. Give one of them another name."
    ]


def test_references_that_lead_nowhere_are_found_on_their_lines():
    text = """\
# A :numref:`gone`

Fine :numref:`a`, not in `` :numref:`b` `` nor <!-- :numref:`c` -->.

One, :numref:`a,missing`
two :eqref:`eq` and :cite:`Work.2000`,
[**three :math:`x`**].

![Caption
:ref:`below`](a.svg)

| a |
|---|
| :cite:`` |

```bash
:numref:`shown`
```
"""
    (chapter,) = chapters_of({("a", (1,)): text})
    index = index_of({("z", ()): "# Z\n:label:`a`\n"})
    label = "There is no label `{}` in this language's chapters. Mend the name or label what it means."
    work = "There is no work `{}` in the bibliography. Add it to the .bib file or mend the key."
    role = "The dialect has no role `:math:`. Known roles: cite, citep, citet, eqref, numref, ref."
    assert [str(one).removeprefix("a.md:") for one in check_references(chapter, index)] == [
        f"1: R002 {label.format('gone')}",
        f"5: R002 {label.format('missing')}",
        f"6: R002 {label.format('eq')}",
        f"6: R003 {work.format('Work.2000')}",
        f"7: D008 {role}",
        f"10: R002 {label.format('below')}",
        f"14: R003 {work.format('')}",
    ]


def test_the_works_cited_and_the_chapter_that_lists_them():
    texts = {
        ("a", ()): "A :cite:`x, y` and :citet:`z`, not `:cite:`w``.",
        ("b", ()): ":bibliography:`../a.bib`\n",
        ("c", ()): ":bibliography:`../a.bib`\n",
    }
    index = index_of(texts)
    assert index.cited == {"x", "y", "z"}
    assert index.bibliography_chapter == "b"
    assert index_of({("a", ()): "a"}).bibliography_chapter is None
