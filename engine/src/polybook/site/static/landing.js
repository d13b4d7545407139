"use strict";
// Leads on to the language chosen before, or to the first one the browser asks for that there is.
(() => {
  const KEY = "polybook-language";
  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // the browser keeps nothing for this site
    }
  };
  const links = [...document.querySelectorAll("link[hreflang]")];
  const find = (wanted) => {
    const tag = wanted.toLowerCase();
    return links.find((link) => link.hreflang === tag || link.hreflang === tag.split("-")[0]);
  };
  if (location.hash !== "#choose") {
    const wanted = [remembered(), ...navigator.languages].filter(Boolean);
    const link = wanted.map(find).find(Boolean);
    if (link) location.replace(link.href + location.search);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[hreflang]");
    if (!link) return;
    try {
      localStorage.setItem(KEY, link.hreflang);
    } catch {
      // the choice lasts as long as the page
    }
  });
})();
