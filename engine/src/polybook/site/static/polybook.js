"use strict";
/* global DOCUMENTATION_OPTIONS, Scorer, locale:writable, messages, polybookWords */
(() => {
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

  // A section with the words of a search in its title comes before chapters that have them somewhere.
  if (typeof Scorer === "object") Scorer.score = ([, , anchor, , score]) => score + (anchor ? 6 : 0);

  // A tab changes every tab-set of the page; keep the one that was clicked where it is on the screen.
  let clicked = null;
  const top = (input) => input.nextElementSibling.getBoundingClientRect().top;
  const isTab = (input) => input.matches(".framework-tabs > input");
  document.addEventListener(
    "change",
    ({ target }) => {
      clicked = isTab(target) ? { target, top: top(target) } : null;
    },
    { capture: true }
  );
  document.addEventListener("change", ({ target }) => {
    if (clicked?.target === target) window.scrollBy({ top: top(target) - clicked.top, behavior: "instant" });
  });

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
