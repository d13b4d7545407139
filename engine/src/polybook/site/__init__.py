"""The website: pages for Jupyter Book, the Sphinx extension that arranges them, the root page.

`extension` and what it imports run inside Sphinx; the other modules turn values into text.
"""

#: Where a site keeps the formula renderer, beside the folders of its languages.
MATHJAX = "mathjax/tex-svg-full.js"
