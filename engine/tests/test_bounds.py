"""Bounds for results, and where a book sets them."""

from __future__ import annotations

import pytest

from polybook.bounds import Bound, read_bound
from polybook.config import read_config
from polybook.errors import ConfigError

BOOK = "polybook:\n  languages: {en: .}\n  frameworks: [pytorch]\n  chapters:\n    rnn: "


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("< 9", 8.9, 9), ("<=9", 9, 9.1), (" > -1.5e1 ", -14, -15), (">= .5", 0.5, 0.4), ("< 9", 1, None)],
)
def test_a_bound_holds_or_not(text, inside, outside):
    bound = read_bound(text)

    assert bound.holds(inside)
    assert not bound.holds(outside)


@pytest.mark.parametrize("text", ["", "9", "= 9", "< nine", "< 9 8", "<< 9", "< nan"])
def test_a_text_that_is_no_bound(text):
    assert read_bound(text) is None


def test_a_chapter_says_what_it_needs_and_gives():
    settings = read_config(BOOK + '{gpu: true, expect: {val_ppl: "< 9"}}').chapters["rnn"]

    assert settings.gpu
    assert settings.expect == {"val_ppl": Bound("<", 9)}
    assert settings.line == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{cpu: true}", "_config.yml:5: B005 `rnn` has no key `cpu`. Known keys: gpu, expect."),
        ("{gpu: 2}", "_config.yml:5: B005 `gpu` must be true or false. Write `gpu: true`."),
        ("{expect: {val_ppl: 9}}", '_config.yml:5: B005 `9` is no bound. Write for example `val_ppl: "< 9"`'),
        ("[gpu]", "_config.yml:5: B005 `rnn` must be a mapping"),
    ],
)
def test_wrong_settings_of_a_chapter(settings, message):
    with pytest.raises(ConfigError) as caught:
        read_config(BOOK + settings)

    assert str(caught.value).startswith(message)
