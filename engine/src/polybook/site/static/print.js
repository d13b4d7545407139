"use strict";
// Paper is white: a page in the dark theme is printed in the light one. Some browsers say so in one way only.
(() => {
  const root = document.documentElement;
  let before = null; // the theme on the screen, while the page is on paper
  const show = (onPaper) => {
    if (onPaper === (before !== null)) return;
    const theme = onPaper ? "light" : before;
    before = onPaper ? root.dataset.theme : null;
    root.dataset.theme = theme;
  };
  const paper = matchMedia("print");
  paper.addEventListener("change", ({ matches }) => show(matches));
  window.addEventListener("beforeprint", () => show(true));
  window.addEventListener("afterprint", () => show(false));
  show(paper.matches);
})();
