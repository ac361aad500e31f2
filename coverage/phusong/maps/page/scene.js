// One canvas for everything. Leaflet's renderer base class moves and scales it during a zoom.

const Scene = L.Renderer.extend({
  initialize(all, state) {
    L.Renderer.prototype.initialize.call(this, { padding: 0.25 });
    this.all = all;
    this.state = state;
    this.sprites = new Map();
  },

  _initContainer() {
    this._container = el("canvas", { class: "scene", "aria-hidden": "true" });
    this._ctx = this._container.getContext("2d");
  },

  _destroyContainer() {
    this._container.remove();
    delete this._container;
  },

  _updatePaths() {},

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this.redraw();
  },

  redraw() {
    if (!this._bounds) return;
    const size = this._bounds.getSize(), min = this._bounds.min;
    const dpr = this.state.printing ? 2 : window.devicePixelRatio || 1;
    const canvas = this._container, ctx = this._ctx;
    if (canvas.width !== Math.round(size.x * dpr) || canvas.height !== Math.round(size.y * dpr)) {
      canvas.width = Math.round(size.x * dpr);
      canvas.height = Math.round(size.y * dpr);
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
    }
    if (dpr !== this.dpr) this.sprites.clear();
    this.dpr = dpr;
    L.DomUtil.setPosition(canvas, min);
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, size.x, size.y);
    const origin = this._map.getPixelOrigin();
    this.scale = 256 * 2 ** this._map.getZoom();
    this.dx = -origin.x - min.x;
    this.dy = -origin.y - min.y;
    this.size = size;
    this.taken = [];
    for (const [name, paint] of Object.entries(PAINTERS)) {
      if (this.state.on[name]) paint(this, ctx);
    }
  },

  px(x) { return x * this.scale + this.dx; },
  py(y) { return y * this.scale + this.dy; },

  inside(x, y, edge) {
    return x > -edge && y > -edge && x < this.size.x + edge && y < this.size.y + edge;
  },

  radius() {
    // Places on ten thousand pixels when the whole area is seen.
    const zoom = this._map.getZoom(), size = this._map.getSize();
    const crowd = Math.log2(1 + (this.all.points.n * 1667) / (size.x * size.y)) * 0.7;
    return Math.max(1.6, Math.min(9.5, 5.4 + (zoom - this.state.homeZoom) * 1.1 - crowd));
  },

  // A picture drawn once and stamped many times.
  sprite(key, extent, paint) {
    let made = this.sprites.get(key);
    if (!made) {
      const side = Math.ceil(2 * extent * this.dpr);
      made = document.createElement("canvas");
      made.width = made.height = side;
      const ctx = made.getContext("2d");
      ctx.scale(this.dpr, this.dpr);
      paint(ctx, side / this.dpr / 2);
      made.half = side / this.dpr / 2;
      this.sprites.set(key, made);
    }
    return made;
  },

  stamp(ctx, made, x, y) {
    ctx.drawImage(made, x - made.half, y - made.half, 2 * made.half, 2 * made.half);
  },
});

// Rings of one feature as a path; vertices nearer than a pixel to the last one are skipped.
function trace(scene, ctx, shape, i, closed) {
  const { x, y, first, start } = shape;
  for (let r = first[i]; r < first[i + 1]; r++) {
    let lastX = NaN, lastY = NaN;
    for (let k = start[r], end = start[r + 1]; k < end; k++) {
      const px = scene.px(x[k]), py = scene.py(y[k]);
      if (k === start[r]) ctx.moveTo(px, py);
      else if (k < end - 1 && Math.abs(px - lastX) + Math.abs(py - lastY) < 1.2) continue;
      else ctx.lineTo(px, py);
      lastX = px;
      lastY = py;
    }
    if (closed) ctx.closePath();
  }
}

function visible(scene, shape, i) {
  const b = shape.box;
  return scene.px(b[4 * i + 2]) > 0 && scene.py(b[4 * i + 3]) > 0 &&
    scene.px(b[4 * i]) < scene.size.x && scene.py(b[4 * i + 1]) < scene.size.y;
}

function eachShape(scene, shape, paint) {
  for (let i = 0; i < shape.n; i++) if (visible(scene, shape, i)) paint(i);
}

// The relief lies under everything; communes are laid over it like a wash of ink.
function paintRelief(scene, ctx) {
  const { picture, corners } = scene.state.relief || {};
  if (!picture) return;
  const [x0, y0, x1, y1] = corners;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(picture, scene.px(x0), scene.py(y0), (x1 - x0) * scene.scale, (y1 - y0) * scene.scale);
}

function paintCommunes(scene, ctx) {
  const { communes } = scene.all;
  if (!communes) return;
  const counts = communeCounts(scene.all, scene.state.statuses());
  const unknown = hatch(ctx);
  // Near the ground the wash fades, so that the land and the places come forward.
  const near = Math.max(0, scene._map.getZoom() - scene.state.homeZoom);
  ctx.globalCompositeOperation = "multiply";
  ctx.globalAlpha = Math.max(0.28, 0.72 - 0.13 * near);
  eachShape(scene, communes.shape, (i) => {
    const share = shareCovered(counts, i);
    ctx.fillStyle = Number.isNaN(share) ? unknown : shareColour(share);
    ctx.beginPath();
    trace(scene, ctx, communes.shape, i, true);
    ctx.fill("evenodd");
  });
  ctx.globalAlpha = 1;
  ctx.globalCompositeOperation = "source-over";
}

function shareColour(share) {
  let out = SHARES[0][1];
  for (const [from, colour] of SHARES) if (share >= from - 1e-12) out = colour;
  return out;
}

function paintBorders(scene, ctx) {
  const { communes } = scene.all;
  if (!communes) return;
  ctx.beginPath();
  eachShape(scene, communes.shape, (i) => trace(scene, ctx, communes.shape, i, true));
  ctx.strokeStyle = "rgba(70,60,50,.5)";
  ctx.lineWidth = communes.n > 2000 && scene._map.getZoom() < 9 ? 0.35 : 0.9;
  ctx.stroke();
}

function paintLines(scene, ctx, table, colours, widths, dash) {
  if (!table) return;
  const near = scene._map.getZoom() - scene.state.homeZoom;
  ctx.setLineDash(dash || []);
  for (const main of [false, true]) {
    if (!main && near < 0.7 && table.main) continue;
    ctx.beginPath();
    eachShape(scene, table.shape, (i) => {
      if (i < table.main === main) trace(scene, ctx, table.shape, i, false);
    });
    ctx.strokeStyle = colours[main ? 0 : 1];
    ctx.lineWidth = widths[main ? 0 : 1];
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

// Names stand where there is room; the largest communes come first.
function paintNames(scene, ctx) {
  const { communes } = scene.all;
  if (!communes) return;
  const b = communes.shape.box;
  const wide = (i) => (b[4 * i + 2] - b[4 * i]) * scene.scale;
  const order = Array.from({ length: communes.n }, (_, i) => i).filter((i) => wide(i) > 40 &&
    scene.inside(scene.px(communes.x[i]), scene.py(communes.y[i]), 0));
  order.sort((p, q) => wide(q) - wide(p) || p - q);
  ctx.font = "500 11px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  for (const i of order.slice(0, 400)) {
    const name = communes.columns.name.of(i);
    if (ctx.measureText(name).width < wide(i) * 1.05) label(scene, ctx, name, scene.px(communes.x[i]), scene.py(communes.y[i]), "#4a3f35");
  }
}

function label(scene, ctx, text, x, y, colour) {
  if (!text) return;
  const half = ctx.measureText(text).width / 2 + 3;
  const box = [x - half, y - 8, x + half, y + 8];
  for (const t of scene.taken) {
    if (box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1]) return;
  }
  scene.taken.push(box);
  ctx.strokeStyle = "rgba(255,255,255,.85)";
  ctx.lineWidth = 3.2;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

function onAir(cells, i, days) {
  const from = cell(cells, "on_air_from", i), to = cell(cells, "off_air_from", i);
  return !(from > days) && !(to <= days);
}

function paintMasts(scene, ctx) {
  const { cells, masts } = scene.all, { state } = scene, days = state.days();
  const zoom = scene._map.getZoom(), crowd = masts.length > 4000 ? 1.5 : 0;
  const r = Math.max(1.5, Math.min(7, 4.6 + (zoom - state.homeZoom) * 0.9 - crowd));
  for (const mast of masts) {
    const x = scene.px(mast.x), y = scene.py(mast.y);
    if (!scene.inside(x, y, 20) || !state.operators[mast.operator]) continue;
    let generation = 0, there = false;
    for (const i of mast.cells) {
      const technology = cell(cells, "technology", i);
      if (!onAir(cells, i, days) || state.technologies[technology] === false) continue;
      there = true;
      generation = Math.max(generation, GENERATION[technology] || 0);
      if (r >= 6) wedge(ctx, cell(cells, "azimuth_deg", i), x, y, r, mast.number);
    }
    if (!there) continue;
    scene.stamp(ctx, scene.sprite(`mast ${mast.number} ${generation} ${r}`, r + 16,
      (c, h) => drawMast(c, mast.number, generation, h, h, r)), x, y);
  }
}

function wedge(ctx, azimuth, x, y, r, number) {
  if (azimuth === "" || Number.isNaN(azimuth)) return;
  const a = ((azimuth - 90) * Math.PI) / 180;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.arc(x, y, r * 3.4, a - 0.3, a + 0.3);
  ctx.closePath();
  ctx.fillStyle = OPERATORS[Math.min(number, OPERATORS.length - 1)];
  ctx.globalAlpha = 0.35;
  ctx.fill();
  ctx.globalAlpha = 1;
}

const ORDER = [0, 3, 1, 2];

function paintPoints(scene, ctx) {
  const { points } = scene.all, { state } = scene, now = state.statuses();
  const r = scene.radius(), kinds = points.columns.kind, names = state.header.statuses;
  const k = state.atLast() ? state.built : 0;
  for (const status of ORDER) {
    if (!state.statusOn[status]) continue;
    const sprites = kinds.words.map((kind) => scene.sprite(`${kind} ${status} ${r}`, r * 1.4 + 2,
      (c, h) => drawSign(c, SHAPES[kind] || "triangle", names[status], h, h, r)));
    for (let i = 0; i < points.placed; i++) {
      if (now[i] !== status || !state.kindOn[kinds.codes[i]] || !state.wanted(i)) continue;
      const x = scene.px(points.x[i]), y = scene.py(points.y[i]);
      if (!scene.inside(x, y, 12)) continue;
      if (scene.all.gainedAt[i] && scene.all.gainedAt[i] <= k) ring(ctx, x, y, r + 3, COLOURS.gain, 3);
      scene.stamp(ctx, sprites[kinds.codes[i]], x, y);
    }
  }
}

function ring(ctx, x, y, r, colour, width, dash) {
  ctx.beginPath();
  ctx.setLineDash(dash || []);
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
  ctx.setLineDash([]);
}

function eachShown(scene, test, paint) {
  const { points } = scene.all, { state } = scene, now = state.statuses();
  for (let i = 0; i < points.placed; i++) {
    if (!test(i, now[i]) || !state.statusOn[now[i]] || !state.kindOn[points.columns.kind.codes[i]] ||
      !state.wanted(i)) continue;
    const x = scene.px(points.x[i]), y = scene.py(points.y[i]);
    if (scene.inside(x, y, 12)) paint(x, y);
  }
}

function paintLockdown(scene, ctx) {
  const { points } = scene.all, days = scene.state.days(), r = scene.radius() + 2.5;
  if (!points.columns.lockdown_from) return;
  eachShown(scene, (i) => cell(points, "lockdown_from", i) <= days &&
    !(cell(points, "lockdown_to", i) < days),
  (x, y) => ring(ctx, x, y, r, COLOURS.lockdown, 1.8, [3, 2.5]));
}

function paintChanges(scene, ctx) {
  const first = scene.all.steps[0], r = scene.radius() + 2.5;
  eachShown(scene, (i, now) => now === 0 && first[i] !== 0,
    (x, y) => ring(ctx, x, y, r, COLOURS.ink, 2));
}

function paintLinks(scene, ctx) {
  const { points, spots, header } = scene.all, { state } = scene;
  if (!spots || !state.atLast()) return;
  ctx.strokeStyle = COLOURS.gain;
  ctx.lineWidth = 1.3;
  ctx.globalAlpha = 0.85;
  ctx.beginPath();
  for (const row of header.plan.rows) {
    if (row.rank > state.built || row.spot < 0) continue;
    const x = scene.px(spots.x[row.spot]), y = scene.py(spots.y[row.spot]);
    for (const i of row.gained) {
      if (i >= points.placed) continue;
      ctx.moveTo(x, y);
      ctx.lineTo(scene.px(points.x[i]), scene.py(points.y[i]));
    }
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function paintSpots(scene, ctx) {
  const { spots } = scene.all;
  if (!spots) return;
  const r = Math.max(2.2, Math.min(5.5, scene.radius() * 0.75));
  const made = scene.sprite(`spot ${r}`, r + 3, (c, h) => drawSpot(c, h, h, r));
  for (let i = 0; i < spots.n; i++) {
    const x = scene.px(spots.x[i]), y = scene.py(spots.y[i]);
    if (scene.inside(x, y, 10)) scene.stamp(ctx, made, x, y);
  }
}

function paintPlan(scene, ctx) {
  const { spots, header } = scene.all, { state } = scene;
  if (!spots || !state.atLast()) return;
  const rows = header.plan.rows.filter((row) => row.spot >= 0);
  for (const row of rows.slice().reverse()) {
    const x = scene.px(spots.x[row.spot]), y = scene.py(spots.y[row.spot]);
    const r = row.rank <= 10 ? 10 : 7.5;
    if (scene.inside(x, y, 20)) drawRank(ctx, row.rank, row.rank <= state.built, x, y, r);
  }
}

function paintSelected(scene, ctx) {
  const at = scene.state.selected;
  if (!at) return;
  const x = scene.px(at.x), y = scene.py(at.y);
  ring(ctx, x, y, scene.radius() + 7, COLOURS.paper, 5);
  ring(ctx, x, y, scene.radius() + 7, COLOURS.ink, 2);
}

// From the bottom to the top; the names are those of the layer list.
const PAINTERS = {
  relief: paintRelief,
  communes: paintCommunes,
  borders: paintBorders,
  roads: (s, c) => paintLines(s, c, s.all.roads, ["rgba(120,95,70,.75)", "rgba(130,110,90,.55)"],
    [1.7, 0.8]),
  power: (s, c) => paintLines(s, c, s.all.power, ["rgba(60,60,60,.6)", "rgba(60,60,60,.6)"],
    [1, 1], [5, 4]),
  names: paintNames,
  links: paintLinks,
  spots: paintSpots,
  cells: paintMasts,
  points: paintPoints,
  lockdown: paintLockdown,
  changes: paintChanges,
  plan: paintPlan,
  selected: paintSelected,
};
