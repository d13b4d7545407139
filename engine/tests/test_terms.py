"""The table of terms: reading it, what it lacks, and finding its terms in a text."""

from __future__ import annotations

import pytest

from polybook.config import read_terms
from polybook.errors import ConfigError
from polybook.pipeline.book import load_book
from polybook.site.glossary import Finder

TABLE = """\
text:
  hidden state: {pt: [estado oculto, estados ocultos], zh: 隐状态}
  epoch: {pt: época, zh: 轮}
  token: {pt: token, zh: 词元}
plots:
  train_ppl: {pt: treinamento}
"""


def terms():
    return read_terms(TABLE, "terms.yml", ["pt", "zh"])


def test_plots_have_the_usual_form_of_every_term():
    assert terms().in_plots("pt") == {
        "hidden state": "estado oculto",
        "epoch": "época",
        "token": "token",
        "train_ppl": "treinamento",
    }
    assert terms().in_plots("en") == {}


def test_the_glossary_leaves_out_what_it_could_not_explain():
    assert terms().glossary("pt") == {
        "estado oculto": "hidden state",
        "estados ocultos": "hidden state",
        "época": "epoch",
    }
    assert terms().glossary("zh") == {"隐状态": "hidden state", "词元": "token"}


def test_a_term_without_a_word_is_reported():
    assert [str(one) for one in terms().check(["pt", "zh"])] == [
        "terms.yml:6: T004 The term `train_ppl` has no word in `zh`. Add `zh: ...` to it."
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text: {loss: {de: Verlust}}", "terms.yml:1: B010 `loss` has no key `de`. Known keys: pt, zh."),
        ("text:\n  loss: perda", "terms.yml:2: B010 `loss` must be a mapping of keys to values."),
        ("text:\n  loss: {pt: 3}", "terms.yml:2: B010 `pt` must be a list of names."),
        (
            "text:\n  loss: {pt: perda}\n  loss: {pt: custo}",
            "terms.yml:3: B010 `loss` is there already, in line 2. Take one of them out.",
        ),
        ("words: {}", "terms.yml:1: B010 `terms.yml` has no key `words`."),
        ("text: [", "terms.yml:1: B010 This is not YAML"),
    ],
)
def test_what_is_no_table_of_terms_is_told_with_its_line(text, said):
    with pytest.raises(ConfigError) as caught:
        read_terms(text, "terms.yml", ["pt", "zh"])
    assert str(caught.value).startswith(said)


def test_an_empty_table_has_no_terms():
    assert read_terms("", "terms.yml", ["pt"]).in_plots("pt") == {}


def test_a_table_that_does_not_exist_is_told(copy_book):
    root = copy_book("tiny")
    config = root / "_config.yml"
    config.write_text(config.read_text(encoding="utf-8") + "  terms: words.yml\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"words\.yml: B010 There is no such file here\."):
        load_book(root)


def split(text, **glossary):
    return list(Finder({form.replace("_", " "): term for form, term in glossary.items()}).split(text))


def test_whole_words_are_found_on_whichever_line():
    assert split("O estado\noculto. Um estado", estado_oculto="hidden state", estado="state") == [
        ("O ", ""),
        ("estado\noculto", "hidden state"),
        (". Um ", ""),
        ("estado", "state"),
    ]
    assert split("Estados", estado="state") == [("Estados", "")]


def test_a_term_is_found_once_in_whatever_form():
    finder = Finder({"état caché": "hidden state", "états cachés": "hidden state"})
    assert list(finder.split("L’État caché")) == [("L’", ""), ("État caché", "hidden state")]
    assert list(finder.split("les états cachés")) == [("les états cachés", "")]


def test_chinese_terms_are_found_between_other_characters():
    assert split("门控循环单元的门控", 门控="gated", 门控循环单元="gated recurrent unit") == [
        ("门控循环单元", "gated recurrent unit"),
        ("的", ""),
        ("门控", "gated"),
    ]
