"""The pictures in the README. `make screenshots` takes them anew, into `docs/screenshots/`."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
MOST_BYTES = 200_000
DESKTOP, PHONE = (1200, 800), (390, 780)
#: Per picture: the page, the size of its screen, its colours, and whether its first plot is in the middle.
PICTURES = {
    "desktop-light": ("en/rnn-scratch.html?framework=pytorch", DESKTOP, "light", True),
    "desktop-dark": ("pt/language-model.html?framework=pytorch", DESKTOP, "dark", True),
    "phone": ("fr/gru.html?framework=jax", PHONE, "light", False),
    "other-language": ("zh/rnn-concise.html?framework=tensorflow", DESKTOP, "light", True),
}
SHOW_PLOT = """() => [...document.querySelectorAll(".polybook-plot")]
  .find((plot) => plot.checkVisibility())
  .scrollIntoView({ block: "center" })"""


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_book(site, browser, name):
    address, (width, height), scheme, shows_plot = PICTURES[name]
    screen = {"width": width, "height": height}
    context = browser.new_context(viewport=screen, color_scheme=scheme, reduced_motion="reduce", offline=True)
    tab = context.new_page()
    tab.goto(f"{site.as_uri()}/{address}")
    tab.evaluate("async () => { await window.MathJax?.startup?.promise; }")
    if shows_plot:
        tab.evaluate(SHOW_PLOT)
    FOLDER.mkdir(exist_ok=True)
    tab.screenshot(path=FOLDER / f"{name}.png")
    context.close()
    assert (FOLDER / f"{name}.png").stat().st_size < MOST_BYTES
