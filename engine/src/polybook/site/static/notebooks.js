"use strict";
// The menu of notebooks has those of the chosen framework, which stands in `<html data-framework>`; on a page
// that has none for it, those of the page's first framework. Until there is a choice it has all.
(() => {
  const root = document.documentElement;
  const items = [...document.querySelectorAll(".polybook-notebooks [data-framework]")];
  const follow = () => {
    const chosen = root.dataset.framework;
    const has = items.some((item) => item.dataset.framework === chosen);
    const shown = has ? chosen : items[0]?.dataset.framework;
    for (const item of items) item.hidden = Boolean(chosen) && item.dataset.framework !== shown;
  };
  new MutationObserver(follow).observe(root, { attributeFilter: ["data-framework"] });
  follow();
})();
