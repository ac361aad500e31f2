// Search by name or code over places, masts, candidates and communes; accents and case do not matter.

function searchIndex(all) {
  const out = [];
  const add = (kind, i, name, code, under) => out.push({ kind, i, name, code,
    under, key: `${folded(name)}\n${folded(code)}` });
  if (all.provinces) {
    for (let i = 0; i < all.provinces.n; i++) {
      add("province", i, provinceName(all, i), all.provinces.code[i], "");
    }
  }
  if (all.communes) {
    for (let i = 0; i < all.communes.n; i++) {
      add("commune", i, all.communes.columns.name.of(i), all.communes.code[i], "");
    }
  }
  for (let i = 0; i < all.points.n; i++) {
    add("point", i, cell(all.points, "name", i), all.points.id[i], cell(all.points, "commune_name", i));
  }
  if (all.spots) for (let i = 0; i < all.spots.n; i++) add("spot", i, all.spots.id[i], "", "");
  all.masts.forEach((mast, i) => add("mast", i, mast.site, mast.cells.length === 1
    ? all.cells.id[mast.cells[0]] : "", cell(all.cells, "operator", mast.cells[0])));
  return out;
}

const MOST_FOUND = 12;

function find(index, text) {
  const wanted = folded(text.trim());
  if (!wanted) return [];
  const scored = [];
  for (const entry of index) {
    const at = entry.key.indexOf(wanted);
    if (at < 0) continue;
    const whole = entry.key.split("\n").includes(wanted);
    scored.push([whole ? 0 : at === 0 || entry.key[at - 1] === "\n" ? 1 : entry.key[at - 1] === " " ? 2 : 3,
      scored.length, entry]);
  }
  return scored.sort((p, q) => p[0] - q[0] || p[1] - q[1]).map((s) => s[2]);
}

function searchBox(holder, all, state) {
  let index = null, chosen = -1, found = [];
  const list = el("ul", { role: "listbox", id: "found", hidden: true, "aria-label": word("ui", "search") });
  const input = el("input", { type: "search", id: "search", role: "combobox", autocomplete: "off",
    "aria-controls": "found", "aria-expanded": "false", placeholder: word("ui", "search"),
    "aria-label": word("ui", "search"), oninput: () => update(), onkeydown: (e) => keys(e),
    onfocus: () => update() });
  const kindWord = (entry) => (entry.kind === "point" ? word("kind", cell(all.points, "kind", entry.i))
    : entry.kind === "province" ? word("ui", "province") : entry.kind === "commune" ? word("kind", "commune") : entry.kind === "spot"
      ? word("site_status", "candidate") : word("ui", "site"));
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const pick = (entry) => {
    close();
    state.show(entry);
  };
  function update() {
    index = index || searchIndex(all);
    found = find(index, input.value);
    chosen = -1;
    const shown = found.slice(0, MOST_FOUND);
    list.replaceChildren(...shown.map((entry, n) => el("li", { role: "option", id: `found-${n}`,
      onmousedown: (e) => {
        e.preventDefault();
        pick(entry);
      } }, el("span", { class: "name" }, entry.name || entry.code),
    el("span", { class: "soft" }, [kindWord(entry), entry.under, entry.name ? entry.code : ""]
      .filter(Boolean).join(" · ")))));
    if (input.value.trim() && !found.length) list.append(el("li", { class: "soft" }, word("ui", "search_none")));
    if (found.length > MOST_FOUND) {
      list.append(el("li", { class: "soft" }, say("search_more", { n: count(found.length - MOST_FOUND) })));
    }
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!list.hidden));
  }
  function keys(e) {
    const shown = Math.min(found.length, MOST_FOUND);
    if (e.key === "Escape") close();
    else if ((e.key === "ArrowDown" || e.key === "ArrowUp") && shown) {
      chosen = (chosen + (e.key === "ArrowDown" ? 1 : -1) + shown) % shown;
      [...list.children].forEach((li, n) => li.setAttribute("aria-selected", String(n === chosen)));
      input.setAttribute("aria-activedescendant", `found-${chosen}`);
    } else if (e.key === "Enter" && shown) pick(found[Math.max(0, chosen)]);
    else return;
    e.preventDefault();
  }
  input.addEventListener("blur", close);
  holder.replaceChildren(input, list);
}
