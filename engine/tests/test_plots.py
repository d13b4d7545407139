"""Plots as part of a page: what they say, in which words and colours, and that they stay by themselves."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from polybook.languages import LANGUAGES
from polybook.site.plots import describe, inline

EN, PT, ZH, FR = LANGUAGES.values()
PLOT = {
    "xlabel": "epoch",
    "ylabel": "ppl",
    "curves": [
        {"name": "train", "x": [1, 2], "y": [14.2861, 6.5]},
        {"name": "ρ = 0.5", "x": [1, 2], "y": [1234.5, 2.93e12]},
    ],
}


def test_a_plot_is_described_in_the_words_of_each_language():
    assert describe(PLOT, EN, {}) == (
        "Plot of ppl against epoch: train falls from 14.3 to 6.5; ρ = 0.5 rises from 1234 to 2.93e+12."
    )
    assert describe(PLOT, PT, {"epoch": "época", "ppl": "perplexidade", "train": "treino"}) == (
        "Gráfico de perplexidade em função de época: "
        "treino cai de 14,3 para 6,5; ρ = 0,5 sobe de 1234 para 2,93e+12."
    )
    assert describe(PLOT, ZH, {"epoch": "轮", "ppl": "困惑度"}).startswith(
        "困惑度随轮变化的曲线：train从 14.3 降到"
    )


def test_what_has_no_name_or_no_number_is_described_too():
    curves = [
        {"name": "a", "x": [1, 2], "y": [None, 1.0]},
        {"name": "b", "x": [1], "y": [2]},
        {"name": "c", "y": []},
    ]
    said = describe({"xlabel": None, "ylabel": None, "curves": curves}, EN, {})
    assert said == "Plot of y against x: a goes from no finite number to 1; b goes from 2 to 2."


def svg(inside, style="*{stroke-linejoin: round}"):
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'viewBox="0 0 100 50">'
        f"<metadata>made by a program</metadata><defs><style>{style}</style></defs>{inside}</svg>"
    )


def parsed(html):
    return ET.fromstring(html)  # noqa: S314


def test_words_and_numbers_are_put_into_the_language():
    inside = "<text>epoch</text><text> 0.5 </text><text>sub-epoch</text><text><tspan>epoch</tspan></text>"
    plot = parsed(inline(svg(inside), "p", "", PT, {"epoch": "época"}))
    assert [text.text for text in plot.iter("text")] == ["época", "0,5", "sub-epoch", None]
    assert plot.find(".//tspan").text == "epoch"


def test_ids_are_those_of_one_plot_and_only_where_they_are_used():
    inside = (
        '<g id="axes_1"><path id="m1"/><clipPath id="c"/></g>'
        '<use xlink:href="#m1"/><path clip-path="url(#c)"/>'
    )
    plots = [inline(svg(inside), prefix, "", EN, {}) for prefix in ("plot0", "plot1")]
    ids = [element.get("id") for plot in plots for element in parsed(plot).iter() if element.get("id")]
    assert ids == ["plot0-m1", "plot0-c", "plot1-m1", "plot1-c"]
    assert parsed(plots[0]).find("use").get("href") == "#plot0-m1"
    assert 'clip-path="url(#plot0-c)"' in plots[0]


def test_ink_and_paper_are_the_pages_and_colours_stay():
    inside = (
        '<path style="fill: none; stroke: #2a83c4"/><path style="stroke: #767676"/><g style="fill: #ffffff"/>'
    )
    html = inline(svg(inside + '<path stroke="#000000"/><path style="stroke: #b0b0b0"/>'), "p", "", EN, {})
    assert re.findall(r"stroke(?:: |=\")([^;\"]+)", html) == [
        "#2a83c4",
        "currentColor",
        "currentColor",
        "#b0b0b0",
    ]
    assert "fill: var(--pst-color-background)" in html
    assert parsed(html).get("fill") == "currentColor"


def test_a_plots_style_does_not_reach_the_page():
    html = inline(svg("<path/>"), "p", "", EN, {})
    assert "<style" not in html
    assert parsed(html).get("style") == "stroke-linejoin: round"
    assert "made by a program" not in html


@pytest.mark.parametrize(
    "picture",
    [svg("", style="text {fill: red}"), svg("<script>alert(1)</script>"), "<svg><g></svg>", "no picture"],
)
def test_what_could_change_the_page_is_not_made_a_part_of_it(picture):
    assert inline(picture, "p", "", EN, {}) is None


def test_the_alternative_text_is_the_name_of_the_picture():
    plot = parsed(inline(svg("<path/>"), "p", 'A "plot" of <y> & x', EN, {}))
    assert (plot.get("role"), plot.get("aria-label")) == ("img", 'A "plot" of <y> & x')


def test_a_legend_whose_words_grow_stays_inside_the_picture():
    inside = '<g id="legend_1"><text x="60" style="font-size: 10px">a</text></g>'
    assert parsed(inline(svg(inside), "p", "", FR, {})).find("g").get("transform") is None
    moved = parsed(inline(svg(inside), "p", "", FR, {"a": "apprentissage"})).find("g").get("transform")
    assert -35 < float(re.fullmatch(r"translate\((\S+) 0\)", moved)[1]) < -25
    moved = parsed(inline(svg(inside), "p", "", FR, {"a": "grammes"})).find("g").get("transform")
    assert float(re.fullmatch(r"translate\((\S+) 0\)", moved)[1]) <= -6  # m is wide
