"use strict";
// The menus of the header close with a click elsewhere and with Escape.
for (const menu of document.querySelectorAll(".polybook-menu")) {
  document.addEventListener("click", ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
