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
    this.paintGround(ctx, canvas);
    this.state.hint(this.crowded() && this.state.on.points ? word("ui", this.provincial()
      ? "crowded_provinces" : "crowded") : "");
    for (const [name, paint] of Object.entries(PAINTERS)) if (this.state.on[name]) paint(this, ctx);
  },

  // The ground is kept until the view, the date or its layers change: a slider moves only the rest.
  paintGround(ctx, canvas) {
    const { on, step, relief } = this.state;
    const key = [this.dx, this.dy, this.scale, canvas.width, canvas.height, step, Boolean(relief), on.tiles,
      ...Object.keys(GROUND).map((name) => on[name])].join();
    if (key !== this.groundKey) {
      this.ground = this.ground || document.createElement("canvas");
      this.ground.width = canvas.width;
      this.ground.height = canvas.height;
      const under = this.ground.getContext("2d");
      under.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
      for (const [name, paint] of Object.entries(GROUND)) if (on[name]) paint(this, under);
      this.groundKey = key;
    }
    ctx.drawImage(this.ground, 0, 0, this.size.x, this.size.y);
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
    return Math.max(1, Math.min(9.5, 5.4 + (zoom - this.state.homeZoom) * 1.1 - crowd));
  },

  // Square pixels that a commune takes up on average; many if there are none.
  communePixels() {
    const { communes } = this.all, [x, y] = this.state.corner;
    return communes ? ((this.px(x[1]) - this.px(x[0])) * (this.py(y[1]) - this.py(y[0]))) / communes.n
      : Infinity;
  },

  // Communes of less than a dozen pixels a side are a blur: their provinces stand for them.
  provincial() {
    return Boolean(this.all.provinces) && this.communePixels() < 150;
  },

  // So many places that they would hide one another: their communes speak for them.
  crowded() {
    return this.radius() < 2 && Boolean(this.all.communes) && this.state.on.communes &&
      !this.state.target;
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

function onAir(cells, i, days) {
  const from = cell(cells, "on_air_from", i), to = cell(cells, "off_air_from", i);
  return !(from > days) && !(to <= days);
}

function paintMasts(scene, ctx) {
  const { cells, masts } = scene.all, { state } = scene, days = state.days();
  if (scene.crowded()) return;
  const zoom = scene._map.getZoom(), crowd = masts.length > 4000 ? 1.5 : 0;
  const r = Math.max(1.5, Math.min(7, 4.6 + (zoom - state.homeZoom) * 0.9 - crowd));
  const barred = r >= (masts.length < 60 ? 4.4 : 5.5); // many bars hide the places
  for (const mast of masts) {
    const x = scene.px(mast.x), y = scene.py(mast.y);
    if (!scene.inside(x, y, 20) || !state.operators[mast.operator]) continue;
    if (r < 2) {
      if (!mast.cells.some((i) => onAir(cells, i, days) &&
        state.technologies[cell(cells, "technology", i)] !== false)) continue;
      ctx.fillStyle = OPERATORS[Math.min(mast.number, OPERATORS.length - 1)];
      ctx.fillRect(x - 0.7, y - 0.7, 1.4, 1.4);
      continue;
    }
    let generation = 0, there = false;
    for (const i of mast.cells) {
      const technology = cell(cells, "technology", i);
      if (!onAir(cells, i, days) || state.technologies[technology] === false) continue;
      there = true;
      generation = Math.max(generation, GENERATION[technology] || 0);
      if (r >= 6) wedge(ctx, cell(cells, "azimuth_deg", i), x, y, r, mast.number);
    }
    if (!there) continue;
    if (!barred) generation = 0;
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
  if (scene.crowded()) return;
  const { points } = scene.all, { state } = scene, now = state.statuses();
  const r = scene.radius(), kinds = points.columns.kind, names = state.header.statuses;
  const k = state.atLast() ? state.built : 0;
  for (const status of ORDER) {
    if (!state.statusOn[status]) continue;
    const sprites = kinds.words.map((kind) => scene.sprite(`${kind} ${status} ${r}`, r * 1.4 + 2,
      (c, h) => drawSign(c, SHAPES[kind] || "triangle", names[status], h, h, r)));
    ctx.fillStyle = status === 3 ? "#777" : COLOURS[names[status]];
    for (let i = 0; i < points.placed; i++) {
      if (now[i] !== status || !state.visible(i)) continue;
      const x = scene.px(points.x[i]), y = scene.py(points.y[i]);
      if (!scene.inside(x, y, 12)) continue;
      if (r < 2.4 && !scene.all.gainedAt[i]) { // a speck: no room for a sign
        ctx.fillRect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
        continue;
      }
      if (scene.all.gainedAt[i] && scene.all.gainedAt[i] <= k) ring(ctx, x, y, r + 3, COLOURS.gain, 3);
      scene.stamp(ctx, sprites[kinds.codes[i]], x, y);
    }
  }
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
  feeders: paintFeeders,
  links: paintLinks,
  spots: paintSpots,
  cells: paintMasts,
  points: paintPoints,
  lockdown: paintLockdown,
  changes: paintChanges,
  plan: paintPlan,
  disagreement: paintDisagreement,
  selected: paintSelected,
};
