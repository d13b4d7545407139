"""The measure of language models."""

import math

import pytest


@pytest.mark.parametrize(
    ("cross_entropy", "perplexity"),
    [(0.0, 1), (math.log(2), 2), (math.log(28), 28), (710.0, math.inf), (math.inf, math.inf)],
)
def test_it_is_the_exponential_of_the_cross_entropy(d2l, cross_entropy, perplexity):
    assert d2l.perplexity(cross_entropy) == pytest.approx(perplexity)


def test_no_number_stays_no_number(d2l):
    assert math.isnan(d2l.perplexity(math.nan))
