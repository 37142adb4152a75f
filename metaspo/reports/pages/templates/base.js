"use strict";
// The contents, from the headings that are there.
(() => {
  const nav = document.getElementById("contents");
  const heads = document.querySelectorAll("main h2[id]");
  if (nav && heads.length > 1) {
    const list = document.createElement("ul");
    for (const head of heads) {
      const link = document.createElement("a");
      link.href = `#${head.id}`;
      link.textContent = head.textContent;
      list.appendChild(document.createElement("li")).appendChild(link);
    }
    nav.appendChild(list);
  }
  // On paper nothing can be opened; what was folded for its length alone stays so.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open]):not(.folded)")];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
