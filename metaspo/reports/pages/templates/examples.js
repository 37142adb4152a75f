{
  const filter = document.querySelector(".ex-filter");
  const rows = [...document.querySelectorAll(".ex")];
  const groups = [...document.querySelectorAll(".ex-group")];
  const fields = filter ? [...filter.querySelectorAll("select, input")] : [];
  const texts = new Map();
  const MARK = "#examples?";

  const wanted = () => fields.filter((field) => field.value.trim()).map((field) => [field.name, field.value.trim()]);

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const fits = (row, [name, value]) => (name === "words" ? textOf(row).includes(value.toLowerCase()) : row.dataset[name] === value);

  // Hides what does not fit, unfolds what holds something that does, and says how many there are.
  const show = () => {
    const asked = wanted();
    for (const row of rows) row.hidden = !asked.every((one) => fits(row, one));
    for (const group of groups) {
      const any = group.querySelector(".ex:not([hidden])") !== null;
      group.hidden = asked.length > 0 && !any;
      if (asked.length > 0 && any) group.open = true;
    }
    const shown = rows.filter((row) => !row.hidden).length;
    filter.querySelector("output").textContent = `${shown} of ${rows.length} examples of this page shown`;
  };

  // The address keeps what was asked for, so that it can be sent to somebody. Where a page has none of its own, it does not.
  const remember = () => {
    const asked = wanted();
    try {
      history.replaceState(null, "", asked.length ? MARK + new URLSearchParams(asked) : "#examples");
    } catch {}
  };

  const recall = () => {
    if (!location.hash.startsWith(MARK)) return;
    const asked = new URLSearchParams(location.hash.slice(MARK.length));
    for (const field of fields) {
      field.value = asked.get(field.name) ?? "";
      if (field.selectedIndex === -1) field.selectedIndex = 0;
    }
    show();
    document.getElementById("examples").scrollIntoView();
  };

  if (filter) {
    filter.hidden = false;
    filter.addEventListener("input", () => { show(); remember(); });
    filter.addEventListener("click", ({ target }) => {
      if (target.value === "all") {
        for (const field of fields) field.value = "";
        show();
        remember();
      } else if (target.value === "unfold") {
        for (const row of rows) row.open = !row.hidden;
      }
    });
    window.addEventListener("hashchange", recall);
    recall();
  }
}
