"""The Sphinx extension of a polybook site.

It arranges framework tabs, gives plots their alternative text, adds the notices about results, the
language switcher and the words that the themes leave in English. Its settings, all written by
`settings.sphinx_settings`:

* `polybook_frameworks`: framework names in the order of the tabs;
* `polybook_language`: BCP 47 tag of the language being built;
* `polybook_languages`: `[tag, name]` of every language, the source language first;
* `polybook_pages`: tag to names of the pages that language has; a tag left out has all.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

from .cells import Notices, OutputImages
from .context import add_languages, add_search_words
from .tabs import FrameworkTab, FrameworkTabs
from .words import add_words

_HERE = Path(__file__).parent
_ASSETS = ("polybook.css", "polybook.js")
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
    config.templates_path.insert(0, str(_HERE / "templates"))
    config.html_static_path.extend(str(_HERE / "static" / name) for name in _ASSETS)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set the extension up; it has to be the last of the extensions."""
    app.add_config_value("polybook_frameworks", [], "env", types=(list, tuple))
    app.add_config_value("polybook_language", "en", "html", types=(str,))
    app.add_config_value("polybook_languages", [], "html", types=(list, tuple))
    app.add_config_value("polybook_pages", {}, "html", types=(dict,))
    add_words(app.config.language)
    app.add_directive("framework-tab", FrameworkTab)
    app.add_transform(OutputImages)
    app.add_transform(Notices)
    app.add_transform(FrameworkTabs)
    app.add_css_file("polybook.css", priority=900)
    app.add_js_file("polybook.js", loading_method="defer")
    app.connect("config-inited", allow_parallel)
    app.connect("config-inited", add_files)
    app.connect("html-page-context", add_languages)
    app.connect("html-page-context", add_search_words, priority=600)
    return {
        "version": version("polybook"),
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
