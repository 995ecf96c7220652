// Tables that can be sorted by a click on a head, and filtered by a word.
(() => {
  "use strict";
  const value = (cell) => {
    const text = cell.textContent.trim().replaceAll("−", "-");
    const power = text.match(/× 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/);
    const number = parseFloat(text.replace(/^[(<\s]+/, ""));
    if (!Number.isFinite(number)) return text.toLowerCase();
    const plain = (power ? power[1] : "⁰").replace(/./g, (c) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)]);
    return number * 10 ** Number(plain);
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b
      : typeof a === "number" ? -1 : typeof b === "number" ? 1 : a.localeCompare(b);
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    table.querySelectorAll("th").forEach((head, column) => {
      const button = document.createElement("button");
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isDown = head.ariaSort === "ascending";
        table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        head.ariaSort = isDown ? "descending" : "ascending";
        const rows = [...body.rows].sort((a, b) => compare(value(a.cells[column]), value(b.cells[column])));
        body.append(...(isDown ? rows.reverse() : rows));
      });
    });
    if (body.rows.length < 5) continue;
    const filter = document.createElement("input");
    Object.assign(filter, { type: "search", placeholder: "filter", ariaLabel: "filter rows", className: "filter" });
    filter.addEventListener("input", () => {
      const word = filter.value.toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(word);
    });
    table.before(filter);
  }
})();
