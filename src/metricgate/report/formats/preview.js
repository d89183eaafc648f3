
document.querySelectorAll("table.sortable").forEach(table => {
  const body = table.tBodies[0], rows = [...body.rows];
  const keyOf = (row, column) => row.cells[column].dataset.key;
  const compare = (a, b) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button || !rows.some(row => keyOf(row, column) !== undefined)) {
      if (button) button.replaceWith(button.textContent);
      return;
    }
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = [...rows].sort((a, b) => compare(keyOf(a, column), keyOf(b, column)));
      body.append(...(down ? sorted.reverse() : sorted));
    });
  });
  if (rows.length > 12) {
    const box = document.createElement("input");
    Object.assign(box, { type: "search", placeholder: `Filter ${rows.length} rows`, className: "filter" });
    box.setAttribute("aria-label", box.placeholder);
    const texts = rows.map(row => row.textContent.toLowerCase());
    box.addEventListener("input", () => {
      const wanted = box.value.toLowerCase();
      rows.forEach((row, index) => { row.hidden = !texts[index].includes(wanted); });
    });
    table.before(box);
  }
});
