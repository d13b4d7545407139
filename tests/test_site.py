"""The site as readers get it: every page in every language, from its folder, with the network off."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from stored import assert_stored, led_to

from polybook.languages import LANGUAGES
from polybook.pipeline.book import load_book

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
SCREENSHOTS = ROOT / "_build" / "screenshots"
TAGS = ("en", "pt", "zh", "fr")
#: Per language, what readers type and the page that must come first.
SEARCHES = yaml.safe_load((Path(__file__).parent / "searches.yml").read_text(encoding="utf-8"))
PAGES = (*load_book(ROOT).toc.chapters, "search")
#: What `<html lang>` says.
LANG = {"en": "en", "pt": "pt-BR", "zh": "zh-CN", "fr": "fr"}
#: How references begin, and how the figure's caption does.
WORDS = {
    "en": ("Chapter 5", "Section 5.4", "Fig. 9.1", "Fig. 9.1: "),
    "pt": ("Capítulo 5", "Seção 5.4", "Figura 9.1", "Figura 9.1: "),
    "zh": ("第 5 章", "第 5.4 节", "图 9.1", "图 9.1："),
    "fr": ("chapitre 5", "section 5.4", "fig. 9.1", "Fig. 9.1 : "),
}

#: What the plots of the last chapter are of, in the words of their descriptions, and their axis.
PLOT = {
    "en": "Plot of ppl against epoch: train_ppl falls from ",
    "pt": "Gráfico de perplexidade em função de época: treinamento cai de ",
    "zh": "困惑度随轮变化的曲线：训练从 ",
    "fr": "Graphique\u00a0: perplexité en fonction de époque\u202f; apprentissage descend de ",
}
EPOCH = {"en": "epoch", "pt": "época", "zh": "轮", "fr": "époque"}

#: Whatever of the text or the pictures is cut off at the right, and not inside something that scrolls.
CUT_OFF = """() => {
  const scrolls = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const overflow = getComputedStyle(at).overflowX;
      if (["auto", "scroll"].includes(overflow) && at.scrollWidth > at.clientWidth) return true;
    }
    return false;
  };
  return [...document.querySelectorAll("main :is(p, li, h1, h2, h3, a, td, img, figcaption, summary, input)")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
    .map((element) => element.outerHTML.slice(0, 120));
}"""
#: The terms whose label is not on the screen as a whole or makes the page wider, once they are reached.
LABELS_CUT_OFF = """() => [...document.querySelectorAll("main abbr")].filter((term) => {
  if (!term.checkVisibility()) return false;
  term.focus();
  const { left, right, height } = document.querySelector(".polybook-label").getBoundingClientRect();
  return !height || left < 0 || right > innerWidth || document.documentElement.scrollWidth > innerWidth;
}).map((term) => term.textContent)"""
#: The words of plots that are not inside their picture.
WORDS_OUTSIDE = """() => [...document.querySelectorAll(".polybook-plot text")].filter((text) => {
  const [word, plot] = [text, text.closest("svg")].map((element) => element.getBoundingClientRect());
  return word.width && (word.left < plot.left - 1 || word.right > plot.right + 1);
}).map((text) => text.textContent)"""
#: The words of a drawing that touch the box they are in.
WORDS_IN_BOXES = """() => [...document.querySelectorAll("text")].filter((text) => {
  const [word, ...boxes] = [text, ...document.querySelectorAll("rect")].map((element) => element.getBBox());
  const [x, y] = [word.x + word.width / 2, word.y + word.height / 2];
  const around = boxes.filter((box) => Math.abs(box.x + box.width / 2 - x) < box.width / 2)
    .filter((box) => Math.abs(box.y + box.height / 2 - y) < box.height / 2)
    .sort((a, b) => a.width - b.width);
  const free = around.map((box) => [word.x - box.x, box.x + box.width - word.x - word.width]);
  return free.length && Math.min(...free[0]) < 3;
}).map((text) => text.textContent)"""
#: The words of plots that stand out too little from what is behind them, where axe-core does not look.
FAINT = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll(".polybook-plot text")]
    .map((text) => [text.textContent, parts(getComputedStyle(text).fill), behind(text)])
    .filter(([, ink, paper]) => {
      const [low, high] = [light(ink), light(paper)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05) < 4.5;
    });
}"""
IMAGES = """async () => {
  const images = [...document.querySelectorAll("main img")];
  const plots = [...document.querySelectorAll("main svg.polybook-plot")];
  for (const image of images) image.loading = "eager";
  await Promise.all(images.map((image) => image.decode().catch(() => null)));
  return [
    ...images.map((image) => ({ src: image.src, width: image.naturalWidth, alt: image.alt.trim() })),
    ...plots.map((plot) => ({ src: plot.id, width: plot.viewBox.baseVal.width, alt: plot.ariaLabel })),
  ];
}"""


class Reader:
    """A tab of the browser without a network that notes what it asks for and what goes wrong."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(offline=True, **options)
        self.tab = self.context.new_page()
        self.asked, self.wrong = [], []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("requestfailed", lambda request: self.wrong.append(f"{request.url}: {request.failure}"))
        self.tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.tab.on("console", self._note)

    def _note(self, message):
        if message.type == "error":
            self.wrong.append(message.text)

    def look_with(self, width, scheme):
        """Take a screen of this width, and its colours, which do not fade into each other."""
        self.tab.set_viewport_size({"width": width, "height": 800})
        self.tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def open(self, path, rest=""):
        """Open a page and wait for its formulas."""
        self.asked.clear()
        self.wrong.clear()
        self.tab.goto(path.as_uri() + rest, wait_until="load")
        self.tab.evaluate("async () => { await window.MathJax?.startup?.promise; }")
        return self.tab

    def barriers(self):
        """Return what keeps readers out, as axe-core sees it: a rule and the element that breaks it."""
        options = {
            "preload": False,
            "resultTypes": ["violations"],
        }  # no second request for style sheets
        found = Axe().run(self.tab, options=options).response
        assert found["passes"]
        return [(rule["id"], node["target"]) for rule in found["violations"] for node in rule["nodes"]]

    def asked_elsewhere(self, folder):
        """Return what was asked of any other place than the site."""
        inside = (folder.as_uri() + "/", "data:")
        return [url for url in self.asked if not url.startswith(inside)]


@pytest.fixture(scope="module")
def reader(browser):
    """The tab that all pages are looked at in, one after the other."""
    reader = Reader(browser)
    yield reader
    reader.context.close()


@pytest.fixture(scope="module")
def trees(site):
    """Every page of the site, parsed, by its path."""
    pages = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    return {
        name: html.fromstring(path.read_bytes())
        for name, path in pages.items()
        if "_static" not in path.parts
    }


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_works(site, reader, page, tag):
    reader.look_with(390, "dark")
    tab = reader.open(site / tag / f"{page}.html")
    for width, scheme in ((390, "dark"), (640, "light"), (1280, "light")):  # 640 is 1280 at twice the size
        reader.look_with(width, scheme)
        images = tab.evaluate(IMAGES)
        assert [image for image in images if not (image["width"] and image["alt"])] == []
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert tab.evaluate(CUT_OFF) == []
        assert tab.evaluate(LABELS_CUT_OFF) == []
        tab.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        assert tab.evaluate(FAINT) == []
        assert tab.evaluate(WORDS_OUTSIDE) == []
    assert tab.locator("mjx-merror").count() == 0
    assert reader.asked_elsewhere(site) == []
    assert reader.wrong == []


#: Pages that have all kinds of content between them; what they have in each language is looked at quickly.
KINDS = ("index", "rnn", "search")
WITH_BARRIERS_SOUGHT = [
    pytest.param(page, tag, marks=[] if page in KINDS else pytest.mark.slow) for page in PAGES for tag in TAGS
]


@pytest.mark.parametrize(("page", "tag"), WITH_BARRIERS_SOUGHT)
def test_a_page_keeps_nobody_out(site, reader, page, tag):
    looks = ((390, "dark"), (1280, "light"), (390, "light"), (1280, "dark"))
    for width, scheme in looks if page in KINDS else looks[:2]:
        reader.look_with(width, scheme)
        tab = reader.open(site / tag / f"{page}.html")
        tab.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        assert reader.barriers() == [], (width, scheme)


def test_the_root_page_keeps_nobody_out(site, reader):
    for scheme in ("dark", "light"):
        reader.look_with(390, scheme)
        reader.open(site / "index.html", "#choose")
        assert reader.barriers() == []


def test_the_footer_names_the_authors_in_the_readers_language(trees):
    footers = {
        tag: trees[f"{tag}/rnn.html"].xpath("//footer//*[@class='component-author']")[0] for tag in TAGS
    }
    assert {tag: footer.text.strip() for tag, footer in footers.items()} == {
        "en": "The authors of polybook",
        "pt": "Os autores do polybook",
        "zh": "polybook 作者团队",
        "fr": "Les auteurs de polybook",
    }


def test_a_telephone_shows_a_drawing_large_enough_to_read_and_where_a_formula_goes_on(site, reader):
    reader.look_with(390, "light")
    tab = reader.open(site / "zh" / "rnn.html")
    assert tab.locator("main figure img").first.bounding_box()["width"] == pytest.approx(480, abs=1)
    formula = tab.locator("mjx-container.polybook-more").first
    assert formula.evaluate("formula => formula.tabIndex") == 0
    formula.evaluate("formula => { formula.id = 'cut'; formula.scrollLeft = 1000; }")
    tab.wait_for_selector("#cut:not(.polybook-more)")
    caption = tab.locator("main figcaption").first
    before = caption.bounding_box()["x"]
    tab.locator("main figure").first.evaluate("figure => { figure.scrollLeft = 1000; }")
    assert caption.bounding_box()["x"] == pytest.approx(before, abs=1)
    reader.look_with(1280, "light")
    tab.wait_for_function("!document.querySelector('.polybook-more, main figure[tabindex]')")


def test_code_does_not_shine_in_the_dark(site, reader):
    reader.look_with(1280, "dark")
    tab = reader.open(site / "en" / "rnn.html")
    colour = "element => getComputedStyle(element).borderRightColor"
    code = tab.locator("div.cell_input").first.evaluate(colour)
    line = tab.locator(".framework-tabs > [role=tablist]").first
    assert code == line.evaluate("element => getComputedStyle(element).borderBottomColor")


@pytest.mark.parametrize("path", sorted((ROOT / "img").glob("*.svg")), ids=lambda path: path.stem)
def test_the_words_of_a_drawing_keep_off_the_sides_of_their_boxes(reader, path):
    reader.tab.goto(path.as_uri())
    assert reader.tab.evaluate(WORDS_IN_BOXES) == []


def test_every_page_is_there_in_every_language(trees):
    assert sorted(trees) == sorted(["index.html", *(f"{tag}/{page}.html" for tag in TAGS for page in PAGES)])


def test_pages_say_their_language(trees):
    for name, tree in trees.items():
        assert tree.get("lang") == LANG[name.split("/")[0] if "/" in name else "en"], name


def test_no_page_shows_the_dialect(site, trees, find_dialect):
    for name, tree in trees.items():
        assert find_dialect((site / name).read_text(encoding="utf-8")) == [], name
        assert find_dialect(tree.text_content()) == [], name


@pytest.mark.parametrize("tag", TAGS)
def test_a_page_without_its_plots_weighs_less_than_300_kb(site, tag):
    plot = re.compile(r"<svg[^>]*\bpolybook-plot\b.*?</svg>", re.DOTALL)
    pages = {
        path.name: plot.sub("", path.read_text(encoding="utf-8")) for path in (site / tag).glob("*.html")
    }
    weights = {name: len(text.encode()) for name, text in pages.items()}
    assert {name: weight for name, weight in weights.items() if weight >= 300_000} == {}


def test_every_link_leads_somewhere(site, trees):
    ids = {name: set(tree.xpath("//@id")) for name, tree in trees.items()}
    broken = []
    for name, tree in trees.items():
        for href in tree.xpath("//a/@href | //link[@rel='next' or @rel='prev' or @rel='alternate']/@href"):
            parts = urlsplit(href)
            if parts.scheme:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            target = target if parts.path else name
            fragment = unquote(parts.fragment)
            if not (site / target).is_file() or (fragment and fragment not in ids.get(target, ())):
                broken.append((name, href))
    assert broken == []


def test_the_switcher_leads_to_the_same_page(trees):
    for name, tree in trees.items():
        if "/" not in name:
            continue
        page = name.split("/", 1)[1]
        links = tree.xpath("//*[contains(@class, 'polybook-languages')]//a")
        targets = [
            posixpath.normpath(posixpath.join(posixpath.dirname(name), link.get("href"))) for link in links
        ]
        assert targets == [f"{tag}/{page}" for tag in TAGS], name
        assert [link.text for link in links] == [LANGUAGES[tag].name for tag in TAGS]


def test_a_reader_who_switches_languages_stays_at_a_section(trees):
    sections = "//nav[contains(@class, 'page-toc')]//a/@href"
    for page in PAGES:
        anchors = {tag: trees[f"{tag}/{page}.html"].xpath(sections) for tag in TAGS}
        assert anchors == dict.fromkeys(TAGS, anchors["en"]), page
    assert trees["zh/lstm.html"].xpath(sections)


def plain(text):
    """Return text with ordinary spaces only."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("tag", TAGS)
def test_the_deep_rnn_page_has_everything(trees, tag):
    tree = trees[f"{tag}/deep-rnn.html"]
    article = tree.xpath("//article")[0]
    assert len(article.xpath(".//div[contains(@class, 'cell_input')]//pre")) >= 10
    assert "class StackedRNN(d2l.Module):" in article.text_content()
    assert "torch.Size([32, 1024, 32])" in article.text_content()
    plots = article.xpath(".//div[contains(@class, 'cell_output')]//*[@class='polybook-plot']")
    assert len(plots) >= 3
    assert all(PLOT[tag] in plot.get("aria-label") for plot in plots)
    assert EPOCH[tag] in [text.strip() for text in plots[0].itertext()]
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert len(article.xpath(".//div[contains(@class, 'math')][contains(., '\\tag{9.')]")) >= 2
    chapter, section, figure, caption = WORDS[tag]
    links = {plain(link.text_content()) for link in article.xpath(".//a[contains(@class, 'internal')]")}
    assert {chapter, section, figure, "(9.1)"} <= links
    captions = [plain(each.text_content()).strip() for each in article.xpath(".//figcaption")]
    assert captions[0].startswith(caption)


@pytest.mark.parametrize(("tag", "term"), [("pt", "estado oculto"), ("zh", "隐状态"), ("fr", "état caché")])
def test_the_english_term_is_behind_a_translated_one(site, reader, tag, term):
    tab = reader.open(site / tag / "rnn.html")
    first = tab.locator("abbr", has_text=term)
    assert first.get_attribute("title") == "hidden state"
    first.focus()
    assert tab.evaluate("document.activeElement.title") == "hidden state"
    label = tab.locator(".polybook-label")
    assert label.inner_text() == "hidden state"
    tab.keyboard.press("Escape")
    assert not label.is_visible()


def test_the_label_of_a_term_comes_with_the_pointer_which_may_rest_on_it(site, reader):
    reader.look_with(1280, "light")
    tab = reader.open(site / "pt" / "rnn.html")
    term = tab.locator("abbr", has_text="estado oculto")
    label = tab.locator(".polybook-label")
    term.hover()
    assert (label.inner_text(), term.get_attribute("title")) == ("hidden state", "")  # not shown twice
    label.hover()
    assert label.is_visible()
    tab.locator("article h1").hover()
    assert (label.is_visible(), term.get_attribute("title")) == (False, "hidden state")


@pytest.mark.parametrize("tag", TAGS)
def test_the_deep_rnn_page_is_drawn(site, reader, tag):
    for width in (390, 1280):
        reader.look_with(width, "dark")
        tab = reader.open(site / tag / "deep-rnn.html")
        assert tab.locator("div.math mjx-container [data-mml-node=mlabeledtr]").count() >= 2
        for scheme in ("dark", "light"):
            reader.look_with(width, scheme)
            tab.screenshot(path=SCREENSHOTS / f"{tag}-{width}-{scheme}.png", full_page=True)


def test_a_page_needs_no_pointer(site, reader):
    tab = reader.open(site / "fr" / "deep-rnn.html")

    def press_until(key, selector):
        for _ in range(60):
            tab.keyboard.press(key)
            if tab.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        pytest.fail(f"{key} does not lead to {selector}")

    press_until("Tab", "[href='#main-content']")
    press_until("Tab", ".polybook-languages summary")
    tab.keyboard.press("Enter")
    press_until("Tab", ".polybook-languages a[hreflang=fr]")
    assert reader.barriers() == []
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert not tab.locator(".polybook-languages a").first.is_visible()
    press_until("Tab", "abbr[title='hidden state']")
    press_until("Tab", "[role=tab][aria-selected=true]")
    press_until("Tab", ".copybtn")
    press_until("Shift+Tab", "[role=tab]")
    tab.keyboard.press("End")
    assert tab.evaluate("document.documentElement.dataset.framework") == "mxnet"
    tab.keyboard.press("Home")


def test_a_reader_switches_languages_and_comes_back(browser, site):
    reader = Reader(browser, locale="en-GB")
    assert led_to(reader.tab, site / "index.html", TAGS) == "en"
    tab = reader.open(site / "en" / "deep-rnn.html", "#sec-deep-rnn")
    tab.locator(".polybook-languages summary").click()
    tab.locator(".polybook-languages a[hreflang=zh]").click()
    tab.wait_for_url("**/zh/deep-rnn.html#sec-deep-rnn")
    assert_stored(lambda: led_to(reader.tab, site / "index.html", TAGS), "zh")
    reader.open(site / "en" / "search.html", "?q=gradient")
    tab.locator(".polybook-languages summary").click()
    tab.locator(".polybook-languages a[hreflang=fr]").click()
    tab.wait_for_url("**/fr/search.html?q=gradient")
    assert first_found(tab)
    reader.context.close()


@pytest.mark.parametrize(("locale", "tag"), [("pt-PT", "pt"), ("zh-CN", "zh"), ("fr-CA", "fr"), ("en", "en")])
def test_the_root_page_leads_to_the_browsers_language(browser, site, locale, tag):
    reader = Reader(browser, locale=locale)
    assert led_to(reader.tab, site / "index.html", TAGS) == tag
    reader.context.close()


@pytest.mark.parametrize(("options", "rest"), [({"locale": "de"}, ""), ({"locale": "fr"}, "#choose")])
def test_the_root_page_lists_the_languages(browser, site, options, rest):
    reader = Reader(browser, **options)
    tab = reader.open(site / "index.html", rest)
    assert [text.split("\n")[0] for text in tab.locator("main a").all_inner_texts()] == [
        LANGUAGES[tag].name for tag in TAGS
    ]
    assert reader.asked_elsewhere(site) == []
    assert reader.wrong == []
    reader.context.close()


def shown_frameworks(tab):
    """Return the frameworks whose panels a page shows, of prose and code alike."""
    panels = tab.locator(".framework-panel:visible")
    return set(panels.evaluate_all("panels => panels.map((panel) => panel.dataset.framework)"))


def test_a_framework_is_kept_on_every_page_and_in_every_language(browser, site):
    reader = Reader(browser)
    tab = reader.open(site / "en" / "rnn-concise.html")
    assert shown_frameworks(tab) == {"pytorch"}
    tab.get_by_role("tab", name="TensorFlow").first.click()
    assert shown_frameworks(tab) == {"tensorflow"}
    tab.locator(".polybook-languages summary").click()
    tab.locator(".polybook-languages a[hreflang=fr]").click()
    tab.wait_for_url("**/fr/rnn-concise.html")
    french = site / "fr" / "rnn-concise.html"
    assert_stored(lambda: shown_frameworks(reader.open(french)), {"tensorflow"})
    tab.locator("a.right-next").click()
    tab.wait_for_url("**/fr/lstm.html")
    assert shown_frameworks(tab) == {"tensorflow"}
    assert shown_frameworks(reader.open(site / "pt" / "gru.html", "?framework=jax")) == {"jax"}
    assert_stored(lambda: shown_frameworks(reader.open(site / "zh" / "text.html")), {"jax"})
    assert reader.wrong == []
    reader.context.close()


def test_code_that_the_chosen_framework_lacks_says_so_and_prose_for_others_is_hidden(browser, site):
    reader = Reader(browser)
    note = "There is no code for JAX here; this is for PyTorch."
    tab = reader.open(site / "en" / "classic-interface.html", "?framework=jax")
    assert tab.locator(".framework-gap:visible").all_inner_texts() == [note]
    tab.get_by_role("tab", name="MXNet").first.click()
    assert tab.locator(".framework-gap:visible").count() == 0
    aside = tab.locator(".framework-tabs", has_text="The module is imported before TensorFlow")
    for framework, is_shown in (("jax", False), ("tensorflow", True)):
        reader.open(site / "en" / "interface.html", f"?framework={framework}")
        assert aside.is_visible() == is_shown
    reader.context.close()


def test_without_scripts_a_page_has_every_framework(browser, site):
    reader = Reader(browser, java_script_enabled=False)
    reader.tab.goto((site / "pt" / "rnn-concise.html").as_uri())
    assert set(reader.tab.locator(".framework-name:visible > span:first-child").all_inner_texts()) == {
        "PyTorch",
        "TensorFlow",
        "JAX",
        "MXNet",
    }
    reader.context.close()


@pytest.mark.parametrize(
    "page", ["zh/rnn-concise", "fr/lstm", "en/interface", "pt/language-model", "zh/references"]
)
def test_a_page_is_printed_for_the_chosen_framework(browser, site, page):
    reader = Reader(browser, color_scheme="dark", reduced_motion="reduce")
    tab = reader.open(site / f"{page}.html", "?framework=jax")
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 718, "height": 1000})  # a sheet of A4 within its margins
    assert shown_frameworks(tab) <= {"jax"}
    for gone in (".polybook-menu", ".copybtn", ".bd-sidebar-primary", ".prev-next-footer", ".search-button"):
        assert tab.locator(f"{gone}:visible").count() == 0, gone
    names = tab.locator("main [role=tablist]:visible")
    breaks = names.evaluate_all("names => names.map((name) => getComputedStyle(name).breakAfter)")
    assert set(breaks) <= {"avoid"}
    assert tab.evaluate(CUT_OFF) == []
    cut_code = "blocks => blocks.filter((block) => block.scrollWidth > block.clientWidth + 1).length"
    assert tab.locator("main pre:visible").evaluate_all(cut_code) == 0
    tab.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert tab.evaluate(FAINT) == []
    paper = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(paper) == "rgb(255, 255, 255)"
    tab.emulate_media(media="screen")
    tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert tab.evaluate(paper) == "rgb(18, 18, 18)"
    reader.context.close()


#: What a page says apart from its chapter: texts outside it, names and hints of its controls anywhere.
CHROME = """() => {
  const lists = ".bd-docs-nav li, .page-toc li, #jb-print-toc li";
  const not = `pre, code, script, style, noscript, [lang]:not(html), abbr, svg, ${lists}`;
  const named = /^(title|alt|placeholder|aria-label|aria-description|data-tooltip|data-bs-title)$/;
  const said = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest(not)) continue;
    said.push(...[...element.attributes].filter(({ name }) => named.test(name)).map(({ value }) => value));
    if (element.closest("article")) continue;
    said.push(...[...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data));
  }
  return said.map((text) => text.trim()).filter((text) => /[A-Za-z]{3}/.test(text));
}"""
#: What is called so in other languages as well.
SAME = {"Ctrl", "Framework", "Notebook", "PyTorch", "TensorFlow", "JAX", "MXNet"}


@pytest.mark.parametrize(
    "page", ["index.html", "classic-interface.html", "search.html?q=gru", "search.html?q=qq"]
)
def test_no_word_of_the_themes_is_left_in_english(site, reader, page):
    name, _, query = page.partition("?")
    said = {}
    for tag in TAGS:
        tab = reader.open(site / tag / name, f"?{query}")
        if query:
            tab.locator("#search-results .search-summary", has_text=re.compile(r"\S")).wait_for()
        said[tag] = set(tab.evaluate(CHROME))
    assert len(said["en"]) > 10
    for tag in TAGS[1:]:
        assert said[tag] & said["en"] <= SAME, tag


def test_the_menu_of_notebooks_follows_the_framework(site, reader, tag="fr"):
    tab = reader.open(site / tag / "rnn.html")
    tab.locator(".polybook-notebooks summary").click()
    links = tab.locator(".polybook-notebooks li:visible a")
    for framework in load_book(ROOT).config.frameworks:
        tab.evaluate("name => document.documentElement.dataset.framework = name", framework)
        tab.wait_for_function("document.querySelectorAll('.polybook-notebooks li:not([hidden])').length == 2")
        assert [link.get_attribute("href") for link in links.all()] == [
            f"../notebooks/jupyter/{tag}/{framework}/rnn.ipynb",
            f"../notebooks/jupyter/{tag}-{framework}.zip",
        ]
    tab.keyboard.press("Escape")
    assert links.count() == 0
    assert reader.asked_elsewhere(site) == []
    assert reader.wrong == []


def test_notebooks_are_downloaded(browser, site):
    reader = Reader(browser)
    tab = reader.open(site / "en" / "rnn.html")
    tab.locator(".polybook-notebooks summary").click()
    with tab.expect_download() as packed:
        tab.locator(".polybook-notebooks a[href$='-pytorch.zip']").click()
    assert packed.value.suggested_filename == "en-pytorch.zip"
    reader.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_menus_stay_on_the_screen(site, reader, width):
    reader.look_with(width, "light")
    tab = reader.open(site / "fr" / "rnn.html")
    for name in ("notebooks", "languages"):
        tab.locator(f".polybook-{name} summary").click()
        box = tab.locator(f".polybook-{name} ul").bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width


def test_every_notebook_that_a_page_offers_is_there(site, trees):
    for name, tree in trees.items():
        links = tree.xpath("//*[contains(@class, 'polybook-notebooks')]//a/@href")
        assert bool(links) == ("/" in name and not name.endswith("search.html")), name
        for link in links:
            assert (site / posixpath.dirname(name) / link).is_file(), (name, link)


@pytest.mark.parametrize("tag", TAGS)
def test_a_search_finds_the_right_page_first(site, reader, tag):
    queries = SEARCHES[tag] | SEARCHES["all"]
    assert len(SEARCHES[tag]) >= 15
    wrong = {}
    for query, page in queries.items():
        tab = reader.open(site / tag / "search.html", f"?q={quote(query)}")
        first = first_found(tab)
        if not first.startswith(f"{page}.html"):
            wrong[query] = first
    assert wrong == {}
    assert reader.asked_elsewhere(site) == []
    assert reader.wrong == []


@pytest.mark.parametrize("tag", TAGS)
def test_the_title_of_a_chapter_finds_it_first(site, reader, trees, tag):
    wrong = {}
    for page in load_book(ROOT).toc.chapters:
        heading = trees[f"{tag}/{page}.html"].xpath("//article//h1")[0]
        title = re.sub(r"^\d+|#$", "", plain(heading.text_content())).strip()
        for query in (title, title.upper()):
            first = first_found(reader.open(site / tag / "search.html", f"?q={quote(query)}"))
            if not first.startswith(f"{page}.html"):
                wrong[query] = first
    assert wrong == {}


def first_found(tab):
    """Return where the first result of a search leads."""
    return tab.locator("#search-results li a").first.get_attribute("href")


def test_extracts_of_pages_have_no_words_of_plots(site, reader):
    tab = reader.open(site / "fr" / "search.html")
    page = (
        '<div role="main"><p>before</p><svg class="a">\\n<text>1</text><text>2</text></svg><p>after</p></div>'
    )
    assert tab.evaluate(f"Search.htmlToText('{page}', '')").split() == ["beforeafter"]


#: The words of a text that a search for them would not find.
NOT_FOUND = """(text) => {
  const stemmer = new Stemmer();
  const { terms, titleterms } = Search._index;
  return [...new Set(splitQuery(text.toLowerCase()))].filter((word) => {
    const stem = stemmer.stemWord(word);
    return !(stopwords.includes(word) || /^\\d+$/.test(word) || stem in terms || stem in titleterms);
  });
}"""


@pytest.mark.parametrize("tag", TAGS)
def test_every_word_of_a_page_can_be_searched(site, reader, trees, tag):
    tab = reader.open(site / tag / "search.html")
    tab.wait_for_function("Search.hasIndex()")
    texts = trees[f"{tag}/deep-rnn.html"].xpath("//article//p/text() | //article//pre//text()")
    missing = tab.evaluate(NOT_FOUND, "\n".join(texts))
    # Sphinx leaves out what shortens to a stop word: `one` to `on`.
    assert len(missing) <= 5, missing
