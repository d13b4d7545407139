"""Pages as Sphinx writes them and as a browser shows them, from the source tree in `site/source`."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from stored import assert_stored, led_to

from polybook.languages import LANGUAGES
from polybook.pipeline.render import render, render_language, write_mathjax
from polybook.pipeline.workers import Workers
from polybook.services import HOSTED
from polybook.site.cells import notices
from polybook.site.landing import landing_page
from polybook.site.settings import Site, sphinx_settings

SOURCE = Path(__file__).parent / "site" / "source"
SCREENSHOTS = Path(__file__).parents[2] / "_build" / "screenshots" / "engine"
CHROMIUM = shutil.which("chromium")
TITLES = {"en": "A Small Book", "pt": "Um pequeno livro", "zh": "一本小书"}
FRAMEWORKS = ("pytorch", "tensorflow", "jax")
#: Where the notebooks of a page are, per service and framework.
NOTEBOOKS = [
    *(("jupyter", name, f"notebooks/{name}.ipynb") for name in FRAMEWORKS),
    *(
        (service, name, HOSTED[service].address(f"a/b/{name}.ipynb"))
        for name in FRAMEWORKS
        for service in HOSTED
    ),
]
GLOSSARY = {"zh": {"hidden state": "隐状态", "arrays": "数组", "loop": "环"}}


def settings(tag, frameworks=FRAMEWORKS, config=None):
    languages = [LANGUAGES[each] for each in TITLES]
    made = sphinx_settings(
        Site("The Authors", frameworks, languages, config or {}),
        LANGUAGES[tag],
        TITLES[tag],
        GLOSSARY.get(tag),
    )
    return {**made, "polybook_notebooks": {"rnn/tabs": NOTEBOOKS}}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site in three languages, two Sphinx processes at a time."""
    build = tmp_path_factory.mktemp("book") / "_build"
    for tag in TITLES:
        shutil.copytree(SOURCE, build / tag / "source")
    with Workers(2, len(TITLES)) as workers, ThreadPoolExecutor(workers.at_once) as executor:
        found = executor.map(lambda tag: render_language(build, tag, settings(tag), workers), TITLES)
        assert list(found) == [[] for _ in TITLES]
    write_mathjax(build / "html")
    landing = landing_page([(LANGUAGES[tag], title) for tag, title in TITLES.items()])
    (build / "html/index.html").write_text(landing, encoding="utf-8")
    return build / "html"


@pytest.fixture
def workers():
    """A process for one language."""
    with Workers() as found:
        yield found


def page(site, name, tag="en"):
    return BeautifulSoup((site / tag / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def tab_sets(soup):
    """Return each tab-set as a mapping from the name of a panel to the text in it."""
    found = []
    for tab_set in soup.select(".framework-tabs"):
        panels = tab_set.find_all(class_="framework-panel", recursive=False)
        names = [panel.p.extract().get_text(" ", strip=True) for panel in panels]
        found.append(dict(zip(names, [" ".join(panel.get_text().split()) for panel in panels], strict=True)))
    return found


def test_neighbours_become_one_tab_set_in_the_books_order(site):
    tabs = tab_sets(page(site, "rnn/tabs"))
    assert [list(each) for each in tabs] == [
        ["PyTorch", "TensorFlow", "JAX"],
        ["PyTorch", "TensorFlow results out of date", "JAX not run yet"],
        ["PyTorch", "TensorFlow", "JAX"],
        ["PyTorch"],
    ]
    assert "import torch" in tabs[0]["PyTorch"]
    assert "import torch" not in tabs[0]["JAX"]


def test_prose_and_code_of_a_run_share_a_tab_in_their_order(site):
    pytorch, tensorflow, jax = tab_sets(page(site, "rnn/tabs"))[1].values()
    assert pytorch.index("tensors are arrays") < pytorch.index("torch.ones")
    assert tensorflow.index("In TensorFlow") < tensorflow.index("tf.ones")
    assert "tensors are arrays" in jax
    assert "tensors are arrays" not in tensorflow


@pytest.mark.parametrize(("tag", "words"), [("pt", "ainda não executado"), ("zh", "尚未运行")])
def test_a_panel_says_in_the_readers_language_what_its_results_are(site, tag, words):
    assert f"JAX {words}" in tab_sets(page(site, "rnn/tabs", tag))[1]


def test_code_marks_only_words_with_a_colour_of_their_own(site):
    code = page(site, "rnn/tabs").select_one(".cell_input .highlight-ipython3")
    assert code.select(".kn")
    assert not code.select(".n, .nn, .p, .w")


def test_no_id_is_on_a_page_twice(site):
    ids = [tag["id"] for tag in page(site, "rnn/tabs").select("[id]")]
    assert len(ids) == len(set(ids))
    assert "note-shared" in ids


def test_what_belongs_to_all_frameworks_stands_between_the_tabs(site):
    paragraph = page(site, "rnn/tabs").find("p", string="This stands between two tab-sets.")
    assert paragraph.find_parent(class_="framework-tabs") is None


def test_what_belongs_to_no_framework_of_the_book_is_left_out(site):
    assert "Nobody reads this" not in page(site, "rnn/tabs").get_text()


def test_a_book_with_one_framework_has_no_tabs(tmp_path, workers):
    shutil.copytree(SOURCE, tmp_path / "source")
    config = {"html": {"baseurl": "https://example.org/book"}}
    render(tmp_path / "source", tmp_path / "html", settings("en", ["jax"], config), workers)
    soup = BeautifulSoup((tmp_path / "html/rnn/tabs.html").read_text(), "html.parser")
    assert soup.select_one("link[rel=canonical]")["href"] == "https://example.org/book/en/rnn/tabs.html"
    article = soup.article
    assert not soup.select(".polybook-discussion")
    assert not article.select(".framework-tabs")
    assert "jnp.ones" in article.get_text()
    assert "tensors are arrays" in article.get_text()
    assert "torch.ones" not in article.get_text()


def test_long_results_can_be_folded_and_pages_discussed(tmp_path, workers, browser):
    shutil.copytree(SOURCE, tmp_path / "source")
    path = tmp_path / "source/rnn/tabs.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    short, long = ("\n".join(map(str, range(lines))) for lines in (20, 21))
    last = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][-1]
    last["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": short},
        {"output_type": "stream", "name": "stderr", "text": long},
    ]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    address = "https://example.org/{language}?about={page}"
    changed = settings("en") | {"polybook_discussions": address}
    render(tmp_path / "source", tmp_path / "html", changed, workers)
    soup = BeautifulSoup((tmp_path / "html/rnn/tabs.html").read_text(encoding="utf-8"), "html.parser")
    folds = soup.select("details.polybook-fold")
    assert [fold.summary.get_text() for fold in folds] == ["Output of 21 lines"]
    assert folds[0].pre.get_text().split() == long.split()
    link = soup.select_one(".polybook-discussion a")
    assert (link["href"], link.get_text()) == ("https://example.org/en?about=rnn/tabs", "Discuss this page")
    search = BeautifulSoup((tmp_path / "html/search.html").read_text(encoding="utf-8"), "html.parser")
    assert not search.select(".polybook-discussion")
    for width in (390, 1280):
        reader = Reader(browser, viewport={"width": width, "height": 800})
        tab = reader.open(tmp_path / "html/rnn/plain.html")
        link, text = tab.locator(".polybook-discussion a"), tab.locator("article h1")
        assert link.bounding_box()["x"] == text.bounding_box()["x"]
        reader.context.close()


def test_plots_have_their_sentence_or_a_stock_phrase_as_alternative_text(site):
    alternatives = [image["alt"] for image in page(site, "rnn/tabs", "pt").select(".cell_output img")]
    assert alternatives == [
        "Perplexity falls from 20.1 to 1.3 in 50 epochs.",
        "Figura feita pelo código acima.",
        "Figura feita pelo código acima.",
    ]


@pytest.mark.parametrize(
    ("tag", "stale", "missing"),
    [
        ("en", "an earlier version of the code", "has not been run yet"),
        ("pt", "uma versão anterior do código", "ainda não foi executado"),
        ("zh", "早期版本", "尚未运行"),
    ],
)
def test_notices_stand_between_code_and_results(site, tag, stale, missing):
    notices = page(site, "rnn/tabs", tag).select(".polybook-notice")
    assert [notice["class"][1] for notice in notices] == ["polybook-stale", "polybook-missing"]
    assert stale in notices[0].get_text()
    assert missing in notices[1].get_text()
    assert "cell_input" in notices[0].find_previous_sibling()["class"]
    assert "cell_output" in notices[0].find_next_sibling()["class"]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["missing", "missing", "missing"], ["on this page has not", "", ""]),
        (["", "stale", "stale"], ["", "on this page come", ""]),
        (["stale", "missing", "stale", "missing"], ["on this page come", "This code", "", "This code"]),
        (["", ""], ["", ""]),
        ([], []),
    ],
)
def test_what_holds_for_a_whole_page_is_said_once(states, said):
    found = notices(states)
    assert [bool(text) for text in found] == [bool(text) for text in said]
    assert all(part in text for part, text in zip(said, found, strict=True))


def test_a_term_has_the_other_one_behind_it_where_a_page_has_it_first(site):
    terms = page(site, "rnn/tabs", "zh").select("article abbr")
    assert {term.get_text(): term["title"] for term in terms} == {"hidden state": "隐状态"}
    assert all(term["tabindex"] == "0" for term in terms)
    assert not page(site, "rnn/tabs", "en").select("article abbr")


def test_formulas_stay_with_their_punctuation(site):
    together = page(site, "rnn/plain").select(".polybook-unbroken")
    assert [each.get_text() for each in together] == [
        "(\\(x\\),",
        "\\(y\\)\N{NO-BREAK SPACE}!",
        "\\(z\\)）。",
    ]
    assert [each.select_one(".math") is not None for each in together] == [True] * 3


def test_the_page_of_a_chapter_that_is_gone_goes(tmp_path, workers):
    shutil.copytree(SOURCE, tmp_path / "source")
    render(tmp_path / "source", tmp_path / "html", settings("en"), workers)
    assert (tmp_path / "html/rnn/plain.html").is_file()
    (tmp_path / "source/rnn/plain.ipynb").unlink()
    toc = (tmp_path / "source/_toc.yml").read_text(encoding="utf-8")
    (tmp_path / "source/_toc.yml").write_text(toc[: toc.index("sections:")], encoding="utf-8")
    render(tmp_path / "source", tmp_path / "html", settings("en"), workers)
    assert not (tmp_path / "html/rnn/plain.html").exists()


def test_a_page_says_its_language_and_where_the_others_are(site):
    soup = page(site, "rnn/tabs", "pt")
    assert soup.html["lang"] == "pt-BR"
    assert soup.select_one("link[rel=canonical]") is None  # nobody said where the site is
    alternates = {link["hreflang"]: link["href"] for link in soup.select("link[rel=alternate]")}
    assert alternates == {
        "en": "../../en/rnn/tabs.html",
        "pt": "../../pt/rnn/tabs.html",
        "zh": "../../zh/rnn/tabs.html",
        "x-default": "../../en/rnn/tabs.html",
    }
    links = soup.select(".polybook-languages a")
    assert [link["href"] for link in links] == list(alternates.values())[:3]
    assert [link.get_text() for link in links if link.get("aria-current")] == ["Português"]
    for link in links:
        assert (site / "pt" / "rnn" / link["href"]).resolve().is_file()


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (
            "pt",
            ["Voltar ao topo", "Pular para o conteúdo principal", "Buscar neste livro..."],
        ),
        ("zh", ["回到顶部", "搜索本书……", "颜色模式"]),
    ],
)
def test_the_theme_speaks_the_readers_language(site, tag, words):
    html = (site / tag / "rnn/tabs.html").read_text(encoding="utf-8")
    for word in words:
        assert word in html


def test_nothing_remote_is_loaded(site):
    for path in site.rglob("*.html"):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        loaded = [tag["src"] for tag in soup.select("[src]")]
        loaded += [tag["href"] for tag in soup.select("link[href]")]
        assert [address for address in loaded if "//" in address] == [], path


def test_mathjax_is_there_once(site):
    assert [path.relative_to(site).as_posix() for path in site.rglob("tex-svg*.js")] == [
        "mathjax/tex-svg-full.js"
    ]
    script = page(site, "rnn/tabs").select_one("script[src*=mathjax]")
    assert (site / "en" / "rnn" / script["src"]).resolve() == site / "mathjax" / "tex-svg-full.js"


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


class Reader:
    """A tab of the browser that can reach nothing but files, and notes what goes wrong."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(offline=True, **options)
        self.tab = self.context.new_page()
        self.remote, self.wrong = [], []
        self.tab.on("request", lambda request: self._note(request.url))
        self.tab.on("requestfailed", lambda request: self.wrong.append(request.url))
        self.tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.tab.on(
            "console", lambda message: self.wrong.append(message.text) if message.type == "error" else None
        )

    def _note(self, url):
        if not url.startswith(("file:", "data:")):
            self.remote.append(url)

    def open(self, path, rest=""):
        self.tab.goto(path.as_uri() + rest, wait_until="load")
        return self.tab

    def chosen(self):
        """Return the framework that each tab-set shows, told by its panels."""
        script = "panels => panels.map(panel => panel.dataset.framework)"
        return self.tab.eval_on_selector_all(".framework-panel:not([hidden])", script)

    def chosen_on(self, path, rest=""):
        """Open a page and return the framework that each of its tab-sets shows."""
        self.open(path, rest)
        return self.chosen()

    def tabs(self, number):
        """Return the tabs of a tab-set by their names: whether each is selected and can be reached by Tab."""
        script = "tabs => tabs.map(tab => [tab.textContent, tab.ariaSelected, tab.tabIndex])"
        tab_set = self.tab.locator(".framework-tabs").nth(number)
        return tab_set.get_by_role("tab").evaluate_all(script)


@pytest.fixture
def reader(browser):
    reader = Reader(browser, viewport={"width": 390, "height": 600})
    yield reader
    reader.context.close()
    assert reader.remote == []
    assert reader.wrong == []


def test_a_chosen_framework_is_kept_everywhere(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html")
    assert reader.chosen() == ["pytorch"] * 4
    tab.locator(".framework-tabs >> nth=2").get_by_role("tab", name="JAX").click()
    assert reader.chosen() == ["jax"] * 3 + ["pytorch"]
    assert_stored(lambda: reader.chosen_on(site / "pt/rnn/tabs.html"), ["jax"] * 3 + ["pytorch"])
    reader.open(site / "en/rnn/tabs.html", "?framework=tensorflow")
    assert reader.chosen() == ["tensorflow"] * 3 + ["pytorch"]
    tab.get_by_role("tab", name="JAX").first.click()
    tab.reload()
    assert reader.chosen() == ["jax"] * 3 + ["pytorch"]
    with_another = (site / "en/rnn/tabs.html", "?framework=abacus")
    assert_stored(lambda: reader.chosen_on(*with_another), ["jax"] * 3 + ["pytorch"])


def test_a_page_opens_in_each_service_with_the_chosen_framework(reader, site):
    tab = reader.open(site / "pt/rnn/tabs.html", "?framework=jax")
    tab.locator(".polybook-notebooks summary").click()
    links = tab.locator(".polybook-notebooks li:visible a")
    labels = ["Abrir no Colab JAX", "Abrir no Kaggle JAX", "Abrir no SageMaker Studio Lab JAX"]
    assert links.all_inner_texts() == ["Baixar este notebook JAX", *labels]
    hosted = [HOSTED[service].address("a/b/jax.ipynb") for service in HOSTED]
    addresses = [link.get_attribute("href") for link in links.all()]
    assert addresses == ["../../notebooks/jax.ipynb", *hosted]
    tab.get_by_role("tab", name="TensorFlow").first.click()  # which closes the menu
    tab.wait_for_selector(".polybook-notebooks li[data-framework=jax][hidden]", state="attached")
    links = tab.locator(".polybook-notebooks li:not([hidden]) a")
    assert links.count() == 1 + len(HOSTED)
    assert all("tensorflow" in link.get_attribute("href") for link in links.all())


def test_tabs_are_tabs_for_those_who_do_not_see_them(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html")
    assert tab.get_by_role("tablist", name="Framework").count() == 4
    assert reader.tabs(0) == [["PyTorch", "true", 0], ["TensorFlow", "false", -1], ["JAX", "false", -1]]
    assert tab.get_by_role("tabpanel", name="PyTorch").count() == 4
    assert tab.get_by_role("tab", name="JAX not run yet").count() == 1
    broken = """tabs => tabs.filter(tab => {
      const panel = document.getElementById(tab.getAttribute("aria-controls"));
      return panel?.role !== "tabpanel" || panel.getAttribute("aria-labelledby") !== tab.id;
    }).length"""
    assert tab.get_by_role("tab").evaluate_all(broken) == 0


def test_tabs_follow_the_arrow_keys(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html")
    tab.get_by_role("tab", name="PyTorch").first.focus()
    steps = ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]
    for key, name in zip(steps, ["TensorFlow", "JAX", "PyTorch", "JAX", "PyTorch", "JAX"], strict=True):
        tab.keyboard.press(key)
        assert tab.evaluate("document.activeElement.textContent") == name, key
        assert [each for each, selected, place in reader.tabs(2) if (selected, place) == ("true", 0)] == [
            name
        ]
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('[role=tabpanel]').dataset.framework") == "jax"


def test_without_scripts_every_framework_is_shown_with_its_name(browser, site):
    reader = Reader(browser, java_script_enabled=False)
    tab = reader.open(site / "en/rnn/tabs.html")
    panels = tab.locator(".framework-tabs >> nth=1").locator(".framework-panel")
    assert [panel.is_visible() for panel in panels.all()] == [True] * 3
    assert [text.split("\n")[0] for text in panels.all_inner_texts()] == [
        "PyTorch",
        "TensorFlow results out of date",
        "JAX not run yet",
    ]
    reader.context.close()


def test_a_page_that_lacks_the_choice_says_so_and_keeps_it(reader, site, tmp_path):
    folder = shutil.copytree(site, tmp_path / "site")
    path = folder / "pt/rnn/tabs.html"
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for panel in soup.select("[data-framework=jax]"):
        panel.extract()
    path.write_text(str(soup), encoding="utf-8")
    tab = reader.open(path, "?framework=jax")
    assert reader.chosen() == ["pytorch"] * 4
    note = "Esta página não tem nada para JAX; ela é mostrada para PyTorch."
    assert tab.get_by_role("status").all_inner_texts() == [note]
    assert_stored(lambda: reader.chosen_on(folder / "en/rnn/tabs.html"), ["jax"] * 3 + ["pytorch"])
    assert not tab.locator(".framework-note").is_visible()


def test_a_link_into_a_hidden_panel_shows_it(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html", "?framework=tensorflow")
    assert not tab.locator("#note-shared").is_visible()
    tab.evaluate("location.hash = 'note-shared'")
    tab.wait_for_function("document.documentElement.dataset.framework === 'pytorch'")
    assert reader.chosen() == ["pytorch"] * 4


def test_a_click_on_a_tab_does_not_move_it(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html")
    tab.wait_for_selector("mjx-container")
    label = tab.locator(".framework-tabs >> nth=2").get_by_role("tab", name="TensorFlow")
    label.scroll_into_view_if_needed()
    before = label.bounding_box()["y"]
    label.click()
    tab.wait_for_timeout(200)
    assert label.bounding_box()["y"] == pytest.approx(before, abs=1)


def test_on_paper_there_is_the_chosen_framework_only(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html", "?framework=jax")
    tab.emulate_media(media="print")
    shown = "tabs => tabs.filter(tab => tab.checkVisibility()).map(tab => tab.textContent)"
    assert tab.get_by_role("tab").evaluate_all(shown) == ["JAX", "JAX not run yet", "JAX", "PyTorch"]
    assert "tf.ones" not in tab.locator("article").inner_text()
    assert "jnp.ones" in tab.locator("article").inner_text()


@pytest.mark.parametrize(("tag", "word"), [("en", "Copy"), ("pt", "Copiar"), ("zh", "复制")])
def test_the_copy_button_speaks_the_readers_language(reader, site, tag, word):
    button = reader.open(site / tag / "rnn/tabs.html").locator(".copybtn").first
    assert button.get_attribute("data-tooltip") == word


def test_the_language_switcher_keeps_the_place(reader, site):
    tab = reader.open(site / "en/rnn/tabs.html", "#eq-state")
    tab.locator(".polybook-languages summary").click()
    tab.locator(".polybook-languages a[hreflang=zh]").click()
    tab.wait_for_url("**/zh/rnn/tabs.html#eq-state")
    assert_stored(lambda: led_to(reader.tab, site / "index.html", TITLES), "zh")


def test_the_root_page_leads_to_the_browsers_language(browser, site):
    for locale, target in (("pt-PT", "pt"), ("zh-CN", "zh"), ("en-GB", "en")):
        reader = Reader(browser, locale=locale)
        assert led_to(reader.tab, site / "index.html", TITLES) == target
        reader.context.close()


def test_the_root_page_lists_the_languages(browser, site):
    for options, rest in (({"locale": "de"}, ""), ({}, "#choose"), ({"java_script_enabled": False}, "")):
        reader = Reader(browser, **options)
        tab = reader.open(site / "index.html", rest)
        assert tab.locator("main a").all_inner_texts() == [
            f"{LANGUAGES[tag].name}\n{title}" for tag, title in TITLES.items()
        ]
        reader.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_the_screen(browser, site, width, scheme):
    reader = Reader(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for tag, name in (("pt", "rnn/tabs"), ("zh", "rnn/plain"), ("en", "index")):
        tab = reader.open(site / tag / f"{name}.html")
        if name == "rnn/tabs":
            tab.wait_for_selector("mjx-container")
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert tab.evaluate("document.documentElement.dataset.theme") == scheme
        shot = SCREENSHOTS / f"{tag}-{name.replace('/', '-')}-{width}-{scheme}.png"
        tab.screenshot(path=shot, full_page=True)
    tab = reader.open(site / "index.html", "#choose")
    tab.screenshot(path=SCREENSHOTS / f"root-{width}-{scheme}.png")
    reader.context.close()
    assert reader.remote == []
    assert reader.wrong == []
