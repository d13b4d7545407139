"""Bibliographies: what a work is called in a sentence, how it is listed, and what is wrong with a file."""

from __future__ import annotations

import pytest

from polybook.citations import read_bibliography
from polybook.languages import LANGUAGES

FILE = r"""
@book{One.1990, author = {Ada Beck}, title = {Beads}, publisher = {P}, year = {1990}}
@book{Two.1991, author = {Beck, Ada and {\'E}mile Zo{\"e}}, title = {Pearls}, publisher = {P}, year = {1991}}
@misc{Three.1992, author = {A B and C D and E F}, title = {T}, year = {1992}}
@misc{Others.1993, author = {Jean de la Fontaine and others}, title = {T}, year = {1993}}
@misc{Editor.1994, editor = {Ed Itor}, title = {T}, year = {1994}}
@misc{Group.1995, author = {{The Very Large Team}}, title = {T}, year = {1995}}
@misc{Nobody, title = {An Unsigned W{\o}rk}}
@misc{Nothing}
"""


@pytest.fixture
def works():
    bibliography, diagnostics = read_bibliography({"works.bib": FILE})
    assert diagnostics == []
    return bibliography


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("One.1990", ("Beck", "1990")),
        ("Two.1991", ("Beck and Zoë", "1991")),
        ("Three.1992", ("B et al.", "1992")),
        ("Others.1993", ("de la Fontaine et al.", "1993")),
        ("Editor.1994", ("Itor", "1994")),
        ("Group.1995", ("The Very Large Team", "1995")),
        ("Nobody", ("An Unsigned Wørk", "")),
        ("Nothing", ("Nothing", "")),
    ],
)
def test_what_a_work_is_called(works, key, name):
    assert works.name(key, LANGUAGES["en"]) == name


def test_the_word_between_two_authors_is_the_language_s(works):
    names = [works.name("Two.1991", language)[0] for language in LANGUAGES.values()]
    assert names == ["Beck and Zoë", "Beck e Zoë", "Beck 和 Zoë", "Beck et Zoë"]


def test_the_list_is_sorted_and_holds_only_works_that_exist(works):
    keys = ["Two.1991", "Gone.2000", "One.1990", "Three.1992", "One.1990"]
    assert works.listing(keys) == [
        ("Three.1992", "A B, C D, and E F\\.\nT\\.\n1992\\."),
        ("One.1990", "Ada Beck\\.\n*Beads*\\.\nP, 1990\\."),
        ("Two.1991", "Ada Beck and Émile Zoë\\.\n*Pearls*\\.\nP, 1991\\."),
    ]


def test_the_list_joins_names_as_its_language_does(works):
    listed = [works.listing(["Three.1992"], language)[0][1] for language in LANGUAGES.values()]
    assert [text.split("\\.")[0] for text in listed] == [
        "A B, C D, and E F",
        "A B, C D e E F",
        "A B, C D 和 E F",
        "A B, C D et E F",
    ]
    assert [works.name("Three.1992", language)[0] for language in LANGUAGES.values()] == [
        "B et al.",
        "B et al.",
        "B 等",
        "B et al.",
    ]


def test_the_volume_of_a_series_is_named_as_in_the_language():
    text = """@inproceedings{a, author={A B}, title={T}, booktitle={Talks}, series={Books}, volume=7, year=1}
    @inproceedings{b, author={C D}, title={T}, booktitle={Talks}, volume=7, year=1}
    @inproceedings{c, author={E F}, title={T}, booktitle={Talks}, series={Books}, number=7, year=1}"""
    bibliography, _ = read_bibliography({"x.bib": text})

    def listed(tag):
        works = bibliography.listing("abc", LANGUAGES[tag])
        return [text.split("*")[2].split("\\.")[0] for _, text in works]

    assert listed("en") == [", volume 7 of Books", ", volume 7", ", number 7 in Books"]
    assert listed("fr") == listed("pt") == [", Books, vol", ", vol", ", number 7 in Books"]
    assert listed("zh")[:2] == [", Books, 第 7 卷", ", 第 7 卷"]


def test_an_entry_that_says_nothing_is_listed_by_its_key(works):
    assert works.listing(["Nothing"]) == [("Nothing", "Nothing")]


def test_what_its_kind_of_entry_lacks_is_reported_for_the_works_cited():
    text = "@article{a, author={A B}, title={Ti}}\n@poem{b, title={Ode}}\n@article{c, title={T}}"
    bibliography, diagnostics = read_bibliography({"x.bib": text})
    assert diagnostics == []
    end = "Mend the entry; until then it is listed with what it has."
    assert [str(one) for one in bibliography.check(["b", "a", "gone"])] == [
        f"x.bib: R005 The work `a` cannot be listed as its kind of entry: missing journal in a. {end}",
        f"x.bib: R005 The work `b` cannot be listed as its kind of entry: there is no `@poem`. {end}",
    ]
    assert dict(bibliography.listing(["a", "b"])) == {"a": "A B\\.\nTi\\.", "b": "Ode\\."}


def test_an_entry_in_broken_latex_is_listed_as_it_is_written():
    text = '@misc{a, author={Ada \\"\\}, title={Back \\"\\}, year={1997}}'
    bibliography, _ = read_bibliography({"x.bib": text})
    assert bibliography.listing(["a"]) == [("a", '\\"\\. Back \\"\\. 1997')]
    assert bibliography.name("a", LANGUAGES["en"]) == ('\\"\\', "1997")
    assert "R005" in str(*bibliography.check(["a"]))


def test_one_bad_entry_does_not_take_the_others_with_it():
    text = "@misc{a, title={A}}\n@misc{b, title\n@misc{c, title={C}}\n@misc{a, title={A}}\n@misc{d, title=dd}"
    bibliography, diagnostics = read_bibliography({"x.bib": text})
    assert {"a", "c"} <= set(bibliography.entries)
    assert [str(one) for one in diagnostics] == [
        "x.bib:3: R005 An entry cannot be read: syntax error in line 3: '=' expected. Mend the entry.",
        "x.bib: R005 An entry cannot be read: repeated bibliography entry: a. Mend the entry.",
        "x.bib:5: R005 An entry cannot be read: undefined string in line 5: dd. Mend the entry.",
    ]


@pytest.mark.parametrize(
    "text", ["", "no entry", "@", "@misc", "@misc{", "@misc{a", "@misc{a,", "@misc{a, b={"]
)
def test_any_text_is_a_bibliography_perhaps_with_errors(text):
    bibliography, diagnostics = read_bibliography({"x.bib": text})
    assert all("\n" not in str(one) for one in diagnostics)
    assert bibliography.listing(bibliography.entries) is not None
