// Filters the flipped items; without this script all of them are simply listed.
(() => {
  const filters = document.querySelector(".filters");
  const PAGE = 20;
  if (filters) {
    const controls = [...filters.querySelectorAll("[data-filter]")];
    const flips = [...document.querySelectorAll(".flip")];
    const more = document.querySelector(".more");
    const count = filters.querySelector("output");
    let limit = PAGE;
    const show = () => {
      const wanted = Object.fromEntries(controls.map((control) => [control.dataset.filter, control.value]));
      const text = wanted.text.toLowerCase();
      const matching = flips.filter((flip) =>
        ["arm", "ability", "direction"].every((name) => !wanted[name] || flip.dataset[name] === wanted[name]) &&
        (!text || flip.textContent.toLowerCase().includes(text)));
      const shown = new Set(matching.slice(0, limit));
      flips.forEach((flip) => { flip.hidden = !shown.has(flip); });
      count.textContent = `${shown.size} of ${matching.length} items`;
      more.hidden = shown.size === matching.length;
    };
    controls.forEach((control) => control.addEventListener("input", () => { limit = PAGE; show(); }));
    more.querySelector("button").addEventListener("click", () => { limit += PAGE; show(); });
    filters.querySelector('[data-filter="arm"]').value = filters.dataset.main;
    filters.hidden = false;
    show();
  }
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details.numbers").forEach((details) => { details.open = true; });
  });
})();
