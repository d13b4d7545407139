"""The navigation made for the root page is right on every page."""

from __future__ import annotations

from polybook.site.navigation import read_navigation

HTML = """<p class="caption">Part</p>
<ul class="nav">
<li class="toctree-l1"><a class="reference internal" href="first.html">First</a></li>
<li class="toctree-l1 has-children"><a class="reference internal" href="deep/in.html">In</a>\
<details><summary>+</summary><ul>
<li class="toctree-l2"><a class="reference internal" href="deep/in/er.html">Er</a></li>
</ul></details></li>
<li class="toctree-l1"><a class="reference external" href="https://example.org/x.html">Out</a></li>
</ul>"""
NAVIGATION = read_navigation(HTML, "index.html")


def test_a_page_that_has_no_link_gets_what_the_theme_made():
    assert NAVIGATION.html("search.html", {"search.html"}) == HTML


def test_the_link_to_the_page_itself_is_marked():
    html = NAVIGATION.html("first.html", {"first.html"})
    assert (
        '<li class="toctree-l1 current active"><a class="current reference internal" href="#">First' in html
    )
    assert html.count("current") == 2
    assert '<a class="reference internal" href="deep/in.html">In' in html
    assert "<details>" in html


def test_links_are_seen_from_the_page_and_what_is_above_it_is_open():
    html = NAVIGATION.html("deep/in/er.html", {"deep/in/er.html", "deep/in.html"})
    assert '<a class="reference internal" href="../../first.html">First' in html
    assert '<a class="current reference internal" href="../in.html">In</a><details open="open">' in html
    assert '<a class="current reference internal" href="#">Er' in html
    assert 'href="https://example.org/x.html"' in html


def test_the_root_page_may_lie_in_a_folder():
    moved = HTML.replace('href="', 'href="../').replace("../https", "https")
    assert read_navigation(moved, "book/index.html").html("search.html", set()) == HTML


def test_a_site_may_have_one_page():
    assert read_navigation("", "index.html").html("index.html", {"index.html"}) == ""
