"use strict";
/* global DOCUMENTATION_OPTIONS, locale:writable, messages, polybookWords */
(() => {
  // Without its menu MathJax does not make every formula a stop of the Tab key, but those that scroll have to be.
  if (window.MathJax) {
    const focusWide = () => {
      for (const formula of document.querySelectorAll("mjx-container[display]")) {
        if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
      }
    };
    const pageReady = () => window.MathJax.startup.defaultPageReady().then(focusWide);
    window.MathJax.options = { ...window.MathJax.options, enableMenu: false };
    window.MathJax.startup = { ...window.MathJax.startup, pageReady };
  }

  // On a telephone formulas begin at the left: centred ones with a number are wider than the screen.
  if (window.MathJax && matchMedia("(max-width: 575px)").matches) {
    window.MathJax.svg = { displayAlign: "left", displayIndent: "0", ...window.MathJax.svg };
  }

  // The copy buttons' own script does not know every language; it adds the buttons after this one has run.
  if (typeof messages === "object") {
    locale = "polybook";
    messages[locale] = polybookWords.copyButton;
  }

  // Pages from a folder cannot read each other, so the results of a search come without extracts.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // Switching languages keeps the place on the page, and the root page remembers the choice.
  const switcher = document.querySelector(".polybook-languages");
  if (!switcher) return;
  switcher.addEventListener("click", ({ target }) => {
    const link = target.closest("a[hreflang]");
    if (!link) return;
    link.hash = location.hash;
    try {
      localStorage.setItem("polybook-language", link.hreflang);
    } catch {
      // the browser keeps nothing for this site
    }
  });
})();
