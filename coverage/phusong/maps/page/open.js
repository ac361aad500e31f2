// Opens the page: unpacks the block, builds the scene, the panel, the legend and the controls.

function makeState(header, all) {
  const kinds = all.points.columns.kind, operators = all.cells.columns.operator;
  const { targets, evidence } = all.points.columns;
  const dayNumbers = header.time.steps.map((s) => Date.parse(`${s.day}T00:00:00Z`) / 864e5);
  const state = {
    header, step: header.time.steps.length - 1, built: header.plan ? header.plan.rows.length : 0,
    on: { communes: true, borders: true, roads: true, power: false, names: true, links: true,
      spots: false, cells: true, points: true, lockdown: false, changes: false, plan: true,
      selected: true, relief: true, footprints: false, feeders: true, disagreement: false,
      tiles: Boolean(header.online) },
    statusOn: [true, true, true, true], kindOn: kinds.words.map(() => true),
    operators: operators ? operators.words.map(() => true) : [true], technologies: {},
    target: null, selected: null, homeZoom: 8, printing: false,
    statuses: () => all.steps[state.step], days: () => dayNumbers[state.step],
    atLast: () => state.step === all.steps.length - 1,
    since: 0, evidenceOn: evidence ? evidence.words.map(() => true) : [],
    // Whether status, kind, evidence and target list of a place are all wanted.
    visible: (i) => state.statusOn[all.steps[state.step][i]] && state.kindOn[kinds.codes[i]] &&
      state.wanted(i) && (!state.atLast() || !evidence || state.evidenceOn[evidence.codes[i]]),
    wanted: (i) => !state.target || (targets && targets.of(i).split(";").includes(state.target)),
  };
  return state;
}

function controls(map, state) {
  const control = L.control({ position: "topleft" });
  const button = (strokes, name, act) => el("button", { type: "button", title: word("ui", name),
    "aria-label": word("ui", name), onclick: act }, signPicture(18, 18, (c) => {
    c.lineWidth = 1.8;
    c.stroke(new Path2D(strokes));
  }));
  const holder = el("div", { class: "leaflet-bar buttons" });
  control.onAdd = () => {
    L.DomEvent.disableClickPropagation(holder);
    return holder;
  };
  control.addTo(map);
  return () => holder.replaceChildren(button("M9 3V15M3 9H15", "zoom_in", () => map.zoomIn(1)),
    button("M3 9H15", "zoom_out", () => map.zoomOut(1)), button("M3 7V3H7M11 3H15V7M15 11V15H11M7 15H3V11", "whole_area", () => state.home()),
    button("M5 6V2H13V6M5 13H2.5V6H15.5V13H13M5 10.5H13V16H5Z", "print", () => window.print()));
}

// The area fills the frame; only afterwards does the zoom go in steps again.
function fitted(map, area, options) {
  const step = map.options.zoomSnap;
  map.options.zoomSnap = 0;
  map.fitBounds(area, { animate: false, padding: [3, 3], ...options });
  map.options.zoomSnap = step;
}

// Only paper shows this: on a screen the panel says the same.
function paperHeading(header) {
  const { study } = header;
  return [study.fictional ? el("p", { class: "fictional" }, word("ui", "fictional")) : "",
    el("h1", {}, both(study.title)), el("p", {}, say("as_of", { date: day(study.day) }))];
}

// On paper the whole area is shown, whatever was on the screen.
function printing(map, state, scene, home, legend) {
  let before = null, opened = [];
  const begin = () => {
    if (before) return;
    before = [map.getCenter(), map.getZoom()];
    state.printing = true;
    document.body.classList.add("printing");
    map.closePopup();
    // A closed part says nothing on paper.
    opened = [...document.querySelectorAll(".panel details, .legend > details")].map((d) => [d, d.open]);
    opened.forEach(([d]) => (d.open = true));
    map.getContainer().after(legend);
    map.invalidateSize({ animate: false, pan: false });
    fitted(map, home, {});
    scene.redraw();
  };
  const end = () => {
    if (!before) return;
    state.printing = false;
    document.body.classList.remove("printing");
    opened.forEach(([d, open]) => (d.open = open));
    map.getContainer().append(legend);
    map.invalidateSize({ animate: false, pan: false });
    map.options.zoomSnap = 0;
    map.setView(...before, { animate: false });
    map.options.zoomSnap = 0.25;
    before = null;
  };
  window.addEventListener("beforeprint", begin);
  window.addEventListener("afterprint", end);
}

function pointing(map, scene, state) {
  const at = (e) => map.latLngToLayerPoint(e.latlng).subtract(scene._bounds.min);
  state.open = (hits) => {
    const first = hits[0], card = pagedCard(scene.all, state, hits, (hit) => {
      state.selected = hit;
      scene.redraw();
    });
    state.selected = first;
    const spot = map.unproject(L.point(first.x, first.y).multiplyBy(256 * 2 ** 18), 18);
    const small = map.getSize().x < 500;
    const popup = L.popup({ maxWidth: small ? 300 : 340, minWidth: small ? 230 : 270, className: "paper",
      maxHeight: Math.max(160, map.getSize().y - (small ? 110 : 90)), autoPanPaddingTopLeft: [state.leftEdge() + 12, 60],
      autoPanPaddingBottomRight: [12, 12] });
    popup.setLatLng(spot).setContent(card).openOn(map);
    popup.getElement().setAttribute("role", "dialog");
    popup.getElement().setAttribute("aria-label", nameOf(scene.all, first));
    popup.getElement().setAttribute("tabindex", "-1");
    popup.getElement().focus({ preventScroll: true });
    scene.redraw();
  };
  map.on("click", (e) => {
    const hits = under(scene, at(e));
    if (hits.length) state.open(hits);
  });
  // Without a mouse: the arrows move the map, Enter opens what stands nearest its middle.
  map.getContainer().addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.target !== map.getContainer()) return;
    const hits = under(scene, scene.size.divideBy(2), 60);
    if (hits.length) state.open(hits);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") map.closePopup();
  });
  map.on("popupclose", () => {
    // The focus fell with the card: back to the map.
    if (document.activeElement === document.body) map.getContainer().focus({ preventScroll: true });
    state.selected = null;
    scene.redraw();
  });
  if (!window.matchMedia("(hover: hover)").matches) return;
  const tip = L.tooltip({ direction: "top", offset: [0, -8], className: "tip" });
  let waiting = 0;
  map.on("mousemove", (e) => {
    window.cancelAnimationFrame(waiting);
    waiting = window.requestAnimationFrame(() => {
      const hit = under(scene, at(e)).find((h) => h.kind !== "commune");
      map.getContainer().style.cursor = hit ? "pointer" : "";
      if (!hit) return tip.remove();
      const spot = map.unproject(L.point(hit.x, hit.y).multiplyBy(256 * 2 ** 18), 18);
      tip.setLatLng(spot).setContent(el("span", {}, nameOf(scene.all, hit))).addTo(map);
      return tip;
    });
  });
  map.on("mouseout", () => tip.remove());
}

function showing(map, scene, state) {
  state.show = (hit) => {
    const from = { point: scene.all.points, spot: scene.all.spots, commune: scene.all.communes,
      province: scene.all.provinces }[hit.kind];
    const at = hit.kind === "mast" ? scene.all.masts[hit.i] : { x: from.x[hit.i], y: from.y[hit.i] };
    const missing = hit.kind === "point" && hit.i >= scene.all.points.placed;
    if (at.x === undefined || missing) {
      at.x = scene.all.middle.x;
      at.y = scene.all.middle.y;
    } else {
      const spot = map.unproject(L.point(at.x, at.y).multiplyBy(256 * 2 ** 18), 18);
      const zoom = Math.max(map.getZoom(), state.homeZoom + ({ province: 0, commune: 2 }[hit.kind] ?? 3));
      map.setView(spot, Math.min(zoom, 16), { animate: false });
    }
    state.open([{ kind: hit.kind, i: hit.i, x: at.x, y: at.y }]);
  };
}

async function build(map, header, read) {
  const all = tables(header, read), state = makeState(header, all);
  const body = document.body, container = map.getContainer();
  const panel = el("aside", { class: "panel", id: "numbers", tabindex: "-1" });
  const legend = el("div", { class: "legend" }), search = el("div", { class: "search" });
  const skip = el("a", { class: "skip", href: "#numbers" }), stamp = el("p", { class: "stamp" });
  const hint = el("p", { class: "hint" });
  state.hint = (text) => {
    if (hint.textContent !== text) hint.textContent = text;
  };
  body.classList.add("briefing");
  const heading = el("header", { class: "heading" });
  body.prepend(skip, heading);
  container.after(panel);
  container.append(legend, search, hint);
  if (header.study.fictional) container.append(stamp);
  for (const part of [legend, search]) {
    L.DomEvent.disableClickPropagation(part);
    L.DomEvent.disableScrollPropagation(part);
  }
  map.invalidateSize({ animate: false });
  const home = L.latLngBounds(header.area);
  state.leftEdge = () => (legend.querySelector("details[open]") && map.getSize().x > 760
    ? legend.offsetWidth : 0);
  state.home = () => {
    fitted(map, home, { paddingTopLeft: [state.leftEdge() + 3, 3] });
  };
  searchBox(search, all, state);
  fillLegend(legend, all, state);
  state.home();
  state.homeZoom = map.getZoom();
  map.setMinZoom(Math.floor(state.homeZoom) - 2);
  const corners = onSquare({ lon: [home.getWest(), home.getEast()], lat: [home.getNorth(), home.getSouth()] });
  state.corner = [corners.x, corners.y];
  const middle = home.getCenter(), flat = map.project(middle, 18).divideBy(256 * 2 ** 18);
  all.middle = { x: flat.x, y: flat.y };
  await addRelief(header, state);
  const scene = new Scene(all, state).addTo(map);
  const refill = controls(map, state);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  state.redraw = () => scene.redraw();
  state.legend = () => fillLegend(legend, all, state);
  state.moved = () => {
    scene.redraw();
    refillNumbers(panel, state);
  };
  state.changed = () => {
    fillPanel(panel, state);
    refillNumbers(panel, state);
    scene.redraw();
  };
  state.speak = (language) => {
    speech.language = language;
    document.documentElement.lang = language;
    document.title = both(header.study.title) + (header.study.fictional ? ` – ${word("ui", "fictional")}` : "");
    container.setAttribute("aria-label", word("ui", "map"));
    skip.textContent = word("ui", "skip_to_numbers");
    stamp.textContent = word("ui", "fictional_short");
    heading.replaceChildren(...paperHeading(header));
    map.closePopup();
    searchBox(search, all, state);
    fillLegend(legend, all, state);
    refill();
    state.changed();
  };
  const under = map.getPane("tilePane");
  state.tiles = () => (under.style.display = state.on.tiles ? "" : "none");
  pointing(map, scene, state);
  showing(map, scene, state);
  printing(map, state, scene, home, legend);
  state.speak(header.language);
  return { map, scene, state, all };
}

// Where the relief lies on the unit square; the scene draws it as soon as it is decoded.
async function addRelief(header, state) {
  if (!header.relief) return;
  const [[south, west], [north, east]] = header.relief.bounds;
  const { x, y } = onSquare({ lon: [west, east], lat: [north, south] });
  const picture = new Image();
  picture.src = header.relief.uri;
  await picture.decode();
  state.relief = { picture, corners: [x[0], y[0], x[1], y[1]] };
}

async function open(map, element) {
  const wait = el("p", { class: "wait", role: "status" }, "…");
  map.getContainer().append(wait);
  try {
    const { header, read } = await unpack(element);
    speech.words = header.words;
    speech.withheldBelow = header.withheld_below;
    phusong.page = await build(map, header, read);
    wait.remove();
    document.body.dataset.ready = "yes";
  } catch (error) {
    wait.textContent = document.querySelector("noscript").textContent;
    wait.className = "wait failed";
    throw error;
  }
}
