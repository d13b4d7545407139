"use strict";
/* global polybookWords */
// Makes tabs of the panels that belong to frameworks; all of them show the reader's one choice. The choice
// is kept for every page and language, can be given in the address (`?framework=jax`), and stands in
// `<html data-framework>` for other scripts and styles.
(() => {
  const NAME = "framework";
  const KEY = "polybook-framework";
  const known = (name) => (Object.hasOwn(polybookWords.frameworks, name) ? name : null);
  const remembered = () => {
    try {
      return known(localStorage.getItem(KEY));
    } catch {
      return null; // the browser keeps nothing for this site
    }
  };
  const remember = (name) => {
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // the choice lasts as long as the page
    }
  };

  const sets = [...document.querySelectorAll(".framework-tabs")].map((element, number) => {
    const panels = [...element.querySelectorAll(":scope > .framework-panel")];
    const tabs = panels.map((panel, place) => {
      const tab = document.createElement("button");
      Object.assign(tab, { type: "button", role: "tab", id: `tab-${number}-${place}` });
      tab.dataset.framework = panel.dataset.framework;
      panel.id ||= `panel-${number}-${place}`;
      tab.setAttribute("aria-controls", panel.id);
      panel.role = "tabpanel";
      panel.setAttribute("aria-labelledby", tab.id);
      const label = panel.querySelector(":scope > .framework-name");
      tab.append(...label.childNodes);
      label.remove();
      return tab;
    });
    const list = document.createElement("div");
    list.role = "tablist";
    list.setAttribute("aria-label", polybookWords.framework);
    list.append(...tabs);
    element.prepend(list);
    const note = document.createElement("p");
    note.className = "polybook-notice framework-gap";
    list.after(note);
    const hasCode = element.querySelector(".cell") !== null;
    return { element, panels, tabs, note, hasCode };
  });
  const offered = Object.keys(polybookWords.frameworks).filter((name) =>
    sets.some(({ tabs }) => tabs.some((tab) => tab.dataset.framework === name))
  );

  const note = document.createElement("p");
  note.className = "polybook-notice framework-note";
  note.role = "status";
  document.querySelector("article h1")?.after(note);

  const show = (choice) => {
    const titles = polybookWords.frameworks;
    const tell = (words, chosen, instead) =>
      words.replace("{chosen}", titles[chosen]).replace("{shown}", titles[instead]);
    const shown = offered.includes(choice) ? choice : offered[0];
    for (const { element, panels, tabs, note, hasCode } of sets) {
      const own = tabs.find((tab) => tab.dataset.framework === shown);
      element.hidden = !own && !hasCode; // prose for the readers of other frameworks
      const selected = own ?? (hasCode ? tabs[0] : null);
      note.hidden = Boolean(own);
      note.textContent = own || !selected ? "" : tell(polybookWords.gap, shown, selected.dataset.framework);
      tabs.forEach((tab, place) => {
        tab.ariaSelected = String(tab === selected);
        tab.tabIndex = tab === selected ? 0 : -1;
        panels[place].hidden = tab !== selected;
      });
    }
    const lacks = choice && shown && choice !== shown;
    note.hidden = !lacks;
    note.textContent = lacks ? tell(polybookWords.lacking, choice, shown) : "";
    document.documentElement.dataset.framework = choice ?? shown ?? Object.keys(titles)[0];
  };

  const choose = (name) => {
    remember(name);
    show(name);
    const address = new URL(location.href);
    if (!address.searchParams.has(NAME)) return;
    address.searchParams.set(NAME, name);
    history.replaceState(history.state, "", address);
  };

  /* What leads to a place inside a panel shows the panel. */
  const showTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const panel = target?.closest(".framework-panel[hidden]");
    if (!panel) return;
    choose(panel.dataset.framework);
    target.scrollIntoView();
  };

  /* A choice changes every tab-set of the page; the one that was used stays where it is on the screen. */
  const use = (tab) => {
    const { top } = tab.getBoundingClientRect();
    choose(tab.dataset.framework);
    tab.focus({ preventScroll: true });
    window.scrollBy({ top: tab.getBoundingClientRect().top - top, behavior: "instant" });
  };
  document.addEventListener("click", ({ target }) => {
    const tab = target.closest(".framework-tabs [role=tab]");
    if (tab) use(tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.(".framework-tabs [role=tab]");
    if (!tab || event.altKey || event.ctrlKey || event.metaKey) return;
    const tabs = [...tab.parentElement.children];
    const place = tabs.indexOf(tab);
    const next = {
      ArrowLeft: tabs.at(place - 1),
      ArrowRight: tabs[(place + 1) % tabs.length],
      Home: tabs[0],
      End: tabs.at(-1),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    use(next);
  });
  window.addEventListener("hashchange", showTarget);
  window.addEventListener("pageshow", ({ persisted }) => persisted && show(remembered()));

  const asked = known(new URLSearchParams(location.search).get(NAME));
  if (asked) remember(asked);
  show(asked ?? remembered());
  showTarget();
})();
