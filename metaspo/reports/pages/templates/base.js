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
  // On paper nothing can be opened. What was folded for its length alone stays so, and parts with more than a few things to open.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("main section")) {
      const folded = [...part.querySelectorAll("details:not([open], .folded)")];
      if (folded.length <= 40) opened.push(...folded);
    }
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
    opened = [];
  });
})();
