// The ground: relief, communes, roads, power lines and names, all below the places.

// Rings come closed, so no closePath is needed (on a long path it costs more than all the rest).
function trace(scene, ctx, shape, i) {
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

// The relief lies under everything; communes are laid over it like a wash of ink. Scaling the
// picture costs more than all the communes, so the scaled one is kept as long as the view.
function paintRelief(scene, ctx) {
  const { picture, corners } = scene.state.relief || {};
  if (!picture || scene.state.on.tiles) return;
  const [x0, y0, x1, y1] = corners, { width, height } = ctx.canvas;
  const key = [scene.dx, scene.dy, scene.scale, width, height].join();
  if (key !== scene.reliefKey) {
    scene.scaled = scene.scaled || document.createElement("canvas");
    scene.scaled.width = width;
    scene.scaled.height = height;
    const under = scene.scaled.getContext("2d");
    under.setTransform(scene.dpr, 0, 0, scene.dpr, 0, 0);
    under.drawImage(picture, scene.px(x0), scene.py(y0), (x1 - x0) * scene.scale,
      (y1 - y0) * scene.scale);
    scene.reliefKey = key;
  }
  ctx.drawImage(scene.scaled, 0, 0, scene.size.x, scene.size.y);
}

function paintCommunes(scene, ctx) {
  const { provinces } = scene.all, whole = scene.provincial();
  const units = whole ? provinces : scene.all.communes;
  if (!units) return;
  const counts = (whole ? provinceCounts : communeCounts)(scene.all, scene.state.statuses());
  const unknown = hatch(ctx);
  // Near the ground the wash fades, so that the land and the places come forward.
  const near = Math.max(0, scene._map.getZoom() - scene.state.homeZoom);
  ctx.globalCompositeOperation = "multiply";
  ctx.globalAlpha = Math.max(0.28, 0.72 - 0.13 * near);
  eachShape(scene, units.shape, (i) => {
    const share = shareCovered(counts, i);
    ctx.fillStyle = Number.isNaN(share) ? unknown : shareColour(share);
    ctx.beginPath();
    trace(scene, ctx, units.shape, i);
    ctx.fill("evenodd");
  });
  ctx.globalAlpha = 1;
  ctx.globalCompositeOperation = "source-over";
}

// What operators declare: outlined and lightly tinted in the colour of the operator.
function paintFootprints(scene, ctx) {
  const { footprints } = scene.all;
  if (!footprints) return;
  eachShape(scene, footprints.shape, (i) => {
    const name = cell(footprints, "operator", i), { operator } = scene.all.cells.columns;
    const number = operator ? operator.words.indexOf(name) : -1;
    ctx.fillStyle = ctx.strokeStyle = OPERATORS[number > 0 ? Math.min(number - 1, OPERATORS.length - 1)
      : OPERATORS.length - 1];
    ctx.beginPath();
    trace(scene, ctx, footprints.shape, i);
    ctx.globalAlpha = 0.2;
    ctx.fill("evenodd");
    ctx.globalAlpha = 0.9;
    ctx.lineWidth = 1;
    ctx.stroke();
    ctx.globalAlpha = 1;
  });
}

function shareColour(share) {
  let out = SHARES[0][1];
  for (const [from, colour] of SHARES) if (share >= from - 1e-12) out = colour;
  return out;
}

function paintBorders(scene, ctx) {
  const { communes, provinces } = scene.all;
  if (!communes) return;
  // Outlines of provinces are coarse: from near by the communes' own borders say more.
  if (provinces && scene._map.getZoom() - scene.state.homeZoom < 2.2) {
    ctx.strokeStyle = "rgba(45,38,30,.75)";
    ctx.lineWidth = 1.5;
    eachShape(scene, provinces.shape, (i) => {
      ctx.beginPath();
      trace(scene, ctx, provinces.shape, i);
      ctx.stroke();
    });
  }
  const across = scene.communePixels();
  if (across < 90) return; // communes of less than ten pixels: their colours say it all
  ctx.strokeStyle = "rgba(70,60,50,.5)";
  ctx.lineWidth = across < 900 ? 0.45 : 0.9;
  eachShape(scene, communes.shape, (i) => {
    ctx.beginPath();
    trace(scene, ctx, communes.shape, i);
    ctx.stroke();
  });
}

function paintLines(scene, ctx, table, colours, widths, dash) {
  if (!table) return;
  const near = scene._map.getZoom() - scene.state.homeZoom;
  ctx.setLineDash(dash || []);
  for (const main of [false, true]) {
    if (!main && near < 0.7 && table.main) continue;
    ctx.beginPath();
    eachShape(scene, table.shape, (i) => {
      if (i < table.main === main) trace(scene, ctx, table.shape, i);
    });
    ctx.strokeStyle = colours[main ? 0 : 1];
    ctx.lineWidth = widths[main ? 0 : 1];
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

// At country zoom each province says its name and its share.
function paintProvinceNames(scene, ctx) {
  const { provinces } = scene.all, counts = provinceCounts(scene.all, scene.state.statuses());
  ctx.font = "600 11.5px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  for (let i = 0; i < provinces.n; i++) {
    const share = shareCovered(counts, i);
    label(scene, ctx, `${provinceName(scene.all, i)} ${Number.isNaN(share) ? "?" : percent(share)}`,
      scene.px(provinces.x[i]), scene.py(provinces.y[i]), "#1b1b1b");
  }
}

function provinceName(all, i) {
  return all.provinces.columns.name.of(i) || `${word("ui", "province")} ${all.provinces.code[i]}`;
}

// Where places stand, in squares of eight pixels: names keep away from them.
function occupied(scene) {
  const { points } = scene.all, out = new Set();
  if (!scene.state.on.points || scene.crowded()) return () => 0;
  for (let i = 0; i < points.placed; i++) {
    const x = scene.px(points.x[i]), y = scene.py(points.y[i]);
    if (scene.inside(x, y, 0)) out.add((x >> 3) * 8192 + (y >> 3));
  }
  return (x, y, half) => {
    let n = 0;
    for (let a = (x - half) >> 3; a <= (x + half) >> 3; a++) {
      for (let b = (y - 7) >> 3; b <= (y + 7) >> 3; b++) n += out.has(a * 8192 + b);
    }
    return n;
  };
}

// Names stand where there is room, clear of places if they can; the largest communes come first.
function paintNames(scene, ctx) {
  const { communes } = scene.all;
  if (!communes) return;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  if (scene.provincial()) return paintProvinceNames(scene, ctx);
  const hidden = occupied(scene);
  const b = communes.shape.box;
  const wide = (i) => (b[4 * i + 2] - b[4 * i]) * scene.scale;
  const order = Array.from({ length: communes.n }, (_, i) => i).filter((i) => wide(i) > 40 &&
    scene.inside(scene.px(communes.x[i]), scene.py(communes.y[i]), 0));
  order.sort((p, q) => wide(q) - wide(p) || p - q);
  ctx.font = "500 11px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  for (const i of order.slice(0, 400)) {
    const name = communes.columns.name.of(i), width = ctx.measureText(name).width;
    if (width > wide(i) * 1.05) continue;
    const x = scene.px(communes.x[i]), y = scene.py(communes.y[i]);
    const room = Math.min(26, (communes.shape.box[4 * i + 3] - communes.shape.box[4 * i + 1]) * scene.scale / 4);
    const at = [0, -13, 13, -26, 26].filter((d) => Math.abs(d) <= room).map((d) => [hidden(x, y + d, width / 2), d])
      .sort((p, q) => p[0] - q[0] || Math.abs(p[1]) - Math.abs(q[1]) || p[1] - q[1])[0];
    label(scene, ctx, name, x, y + at[1], "#4a3f35");
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

// From the bottom to the top; the names are those of the layer list.
const GROUND = {
  relief: paintRelief,
  communes: paintCommunes,
  footprints: paintFootprints,
  borders: paintBorders,
  roads: (s, c) => paintLines(s, c, s.all.roads, ["rgba(120,95,70,.75)", "rgba(130,110,90,.55)"],
    [1.7, 0.8]),
  power: (s, c) => paintLines(s, c, s.all.power, ["rgba(60,60,60,.6)", "rgba(60,60,60,.6)"],
    [1, 1], [5, 4]),
  names: paintNames,
};
