"""The Sphinx extension of a polybook site.

It arranges framework tabs, marks the terms of the glossary, keeps formulas together with their
punctuation, gives pictures among the results their alternative text, adds the notices about results, the
language switcher, its search and the words that the themes leave in English. Its settings, all written
by `settings.sphinx_settings`:

* `polybook_discussions`: the address of a page's discussion, with `{language}` and `{page}`, or nothing;
* `polybook_frameworks`: framework names in the order of the tabs;
* `polybook_language`: BCP 47 tag of the language being built;
* `polybook_languages`: `[tag, name]` of every language, the source language first;
* `polybook_glossary`: the source language's term behind each form of it in the language being built;
* `polybook_notebooks`: page to (service, framework, address) of each of its notebooks;
* `polybook_pages`: tag to names of the pages that language has; a tag left out has all.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from jinja2 import FileSystemBytecodeCache
from myst_nb.sphinx_ext import add_global_html_resources
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxSmartQuotes
from sphinx.util.typing import ExtensionMetadata

from .anchors import SectionAnchors
from .cells import Fold, Folds, Notices, OutputImages, depart_fold, visit_fold
from .context import (
    add_discussion,
    add_languages,
    add_notebooks,
    add_search_words,
    mark_language,
    script_words,
)
from .glossary import GlossaryTerms, Term, depart_term, visit_term
from .highlighting import CellLexer, use_cell_formatter
from .navigation import NavigationOnce, rewrite_with_contents
from .savings import save_work
from .search import SEARCHES, complete_index, index_definitions, note_phrases
from .tabs import FrameworkPanel, FrameworkTab, FrameworkTabs, depart_panel, visit_panel
from .trees import find_nodes
from .typography import FormulaPunctuation, texts_with_marks
from .words import add_words

_HERE = Path(__file__).parent
_ASSETS = ("polybook.css", "polybook.js", "tabs.js", "menus.js", "notebooks.js", "print.js")
#: Extensions of Jupyter Book that read in parallel correctly but do not say so.
_SILENT_EXTENSIONS = ("sphinx_multitoc_numbering", "sphinx_jupyterbook_latex")


def allow_parallel(app: Sphinx, config: Config) -> None:
    """Handle `config-inited`: without their flags Sphinx reads one page after the other."""
    for name in _SILENT_EXTENSIONS:
        if name in app.extensions:
            app.extensions[name].parallel_read_safe = True
            app.extensions[name].parallel_write_safe = True


def add_files(app: Sphinx, config: Config) -> None:
    """Handle `config-inited`: our templates come before the themes', our assets beside theirs."""
    app.add_js_file(None, body=script_words(config.polybook_frameworks), priority=400)  # read by the scripts
    config.templates_path.insert(0, str(_HERE / "templates"))
    config.html_static_path.extend(str(_HERE / "static" / name) for name in _ASSETS)


def add_notebook_styles(app: Sphinx) -> None:
    """Handle `builder-inited`: MyST-NB would put its style sheet in place after the first build.

    Links to it carry its checksum, and so the pages of a first build would differ from later ones.
    """
    Path(app.outdir, "_static").mkdir(parents=True, exist_ok=True)
    add_global_html_resources(app, None)


def keep_templates(app: Sphinx) -> None:
    """Handle `builder-inited`: what Jinja makes of the templates is kept from one process to the next."""
    if templates := getattr(app.builder, "templates", None):
        folder = Path(app.doctreedir, "templates")
        folder.mkdir(parents=True, exist_ok=True)
        templates.environment.bytecode_cache = FileSystemBytecodeCache(str(folder))


def remove_old_pages(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Handle `env-get-outdated`: Sphinx leaves the pages of chapters that are gone where they were."""
    for name in removed:
        Path(app.outdir, f"{name}.html").unlink(missing_ok=True)
    return []


def _digest() -> str:
    """Return a digest of this folder: what another version of it made is made again."""
    files = (path for path in sorted(_HERE.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set the extension up; it has to be the last of the extensions."""
    app.add_config_value("polybook_discussions", "", "html", types=(str,))
    app.add_config_value("polybook_frameworks", [], "env", types=(list, tuple))
    app.add_config_value("polybook_language", "en", "html", types=(str,))
    app.add_config_value("polybook_languages", [], "html", types=(list, tuple))
    app.add_config_value("polybook_notebooks", {}, "html", types=(dict,))
    app.add_config_value("polybook_pages", {}, "html", types=(dict,))
    app.add_config_value("polybook_glossary", {}, "env", types=(dict,))
    app.add_config_value("polybook_site", _digest(), "env", types=(str,))
    add_words(app.config.language)
    nodes.Node.findall = find_nodes  # type: ignore[method-assign, assignment]
    save_work()
    SphinxSmartQuotes.get_tokens = texts_with_marks  # type: ignore[method-assign, assignment]
    app.add_lexer("ipython3", CellLexer)
    for search in SEARCHES:
        app.add_search_language(search)
    app.add_directive("framework-tab", FrameworkTab)
    app.add_node(FrameworkPanel, html=(visit_panel, depart_panel))
    app.add_node(Term, html=(visit_term, depart_term))
    app.add_transform(GlossaryTerms)
    app.add_node(Fold, html=(visit_fold, depart_fold))
    app.add_transform(SectionAnchors)
    app.add_transform(Folds)
    app.add_transform(OutputImages)
    app.add_transform(Notices)
    app.add_transform(FormulaPunctuation)
    app.add_transform(FrameworkTabs)
    app.add_css_file("polybook.css", priority=900)
    app.add_js_file("polybook.js", loading_method="defer")
    app.add_js_file("tabs.js", loading_method="defer")
    app.add_js_file("menus.js", loading_method="defer")
    app.add_js_file("notebooks.js", loading_method="defer")
    app.add_js_file("print.js", loading_method="defer")
    app.connect("config-inited", allow_parallel)
    app.connect("config-inited", add_files)
    app.connect("builder-inited", add_notebook_styles)
    app.connect("builder-inited", use_cell_formatter)
    app.connect("builder-inited", keep_templates)
    app.connect("env-get-outdated", remove_old_pages)
    app.connect("env-updated", rewrite_with_contents)
    app.connect("doctree-read", note_phrases)
    app.connect("doctree-resolved", index_definitions)
    app.connect("html-collect-pages", complete_index)
    app.connect("html-page-context", add_discussion)
    app.connect("html-page-context", add_languages)
    app.connect("html-page-context", add_notebooks)
    app.connect("html-page-context", mark_language)
    app.connect("html-page-context", add_search_words, priority=600)
    app.connect("html-page-context", NavigationOnce())
    return {
        "version": version("polybook"),
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
