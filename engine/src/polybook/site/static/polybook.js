"use strict";
/* global DOCUMENTATION_OPTIONS, locale:writable, messages, polybookWords */
(() => {
  // What is wider than the screen is scrolled: it is a stop of the Tab key, and a formula fades where it goes
  // on. (Without its menu MathJax makes no formula such a stop.)
  const mark = (element) => {
    const left = element.scrollWidth - element.clientWidth;
    element.classList.toggle("polybook-more", element.scrollLeft < left - 1);
    if (left > 1) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const markWide = () => document.querySelectorAll("mjx-container[display], main figure").forEach(mark);
  addEventListener("load", markWide);
  addEventListener("resize", markWide);
  document.addEventListener(
    "scroll",
    ({ target }) => target !== document && target.matches("mjx-container[display], main figure") && mark(target),
    { capture: true, passive: true }
  );
  if (window.MathJax) {
    const pageReady = () => window.MathJax.startup.defaultPageReady().then(markWide);
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

  // The term behind one of the glossary is a label that stays on the screen, as the browser's own does not come by
  // keyboard and touch. Escape takes it away, and the pointer may rest on it.
  const label = document.createElement("div");
  label.className = "polybook-label";
  label.ariaHidden = "true"; // it is the title of the term, which is read out anyway
  label.hidden = true;
  document.body.append(label);
  let labelled = null;
  const unlabel = () => {
    if (labelled) labelled.title = label.textContent;
    labelled = null;
    label.hidden = true;
  };
  const showLabel = (term) => {
    if (term === labelled) return;
    unlabel();
    labelled = term;
    label.textContent = term.title;
    label.hidden = false;
    const [line] = term.getClientRects();
    const screen = document.documentElement.clientWidth;
    label.style.left = `${Math.max(8, Math.min(line.left, screen - label.offsetWidth - 8)) + scrollX}px`;
    label.style.top = `${line.top - label.offsetHeight + scrollY}px`;
  };
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(".polybook-term")) showLabel(target);
    else unlabel();
  });
  document.addEventListener("focusout", unlabel);
  document.addEventListener("pointerover", ({ target }) => {
    if (target === label) return;
    const pointed = target.closest(".polybook-term");
    const term = pointed ?? document.activeElement?.closest(".polybook-term");
    if (term) showLabel(term);
    else unlabel();
    if (pointed) pointed.title = ""; // or the browser would show it as well
  });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && unlabel());

  // Switching languages keeps the place on the page and the query, and the root page remembers the choice.
  const switcher = document.querySelector(".polybook-languages");
  if (!switcher) return;
  switcher.addEventListener("click", ({ target }) => {
    const link = target.closest("a[hreflang]");
    if (!link) return;
    link.search = location.search; // what was searched, and the framework asked for
    link.hash = location.hash;
    try {
      localStorage.setItem("polybook-language", link.hreflang);
    } catch {
      // the browser keeps nothing for this site
    }
  });
})();
