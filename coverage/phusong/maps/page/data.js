// The tables of the page, with positions on the unit square of Web Mercator.

const GENERATION = { GSM: 1, UMTS: 2, LTE: 3, NR: 4, SAT: 0, WIFI: 0 };

function onSquare(at) {
  const n = at.lon.length, x = new Float64Array(n), y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const s = Math.sin((at.lat[i] * Math.PI) / 180);
    x[i] = at.lon[i] / 360 + 0.5;
    y[i] = 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
  }
  return { x, y };
}

function columnsOf(header, read) {
  const out = {};
  for (const [name, spec] of Object.entries(header.columns)) {
    let column = null;
    Object.defineProperty(out, name, { enumerable: true, get: () => (column = column || read(spec)) });
  }
  return out;
}

// A value of a row, "" or NaN where the table has none or lacks the column.
function cell(table, name, i) {
  const column = table.columns[name];
  return column ? column.of(i) : "";
}

function shapesOf(spec, read) {
  const at = read(spec.xy), { x, y } = onSquare(at);
  const rings = read(spec.rings).values, sizes = read(spec.sizes).values;
  const n = rings.length, first = new Uint32Array(n + 1), start = new Uint32Array(sizes.length + 1);
  for (let i = 0; i < n; i++) first[i + 1] = first[i] + rings[i];
  for (let i = 0; i < sizes.length; i++) start[i + 1] = start[i] + sizes[i];
  const box = new Float64Array(4 * n).fill(Infinity);
  for (let i = 0; i < n; i++) {
    box[4 * i + 2] = box[4 * i + 3] = -Infinity;
    for (let k = start[first[i]]; k < start[first[i + 1]]; k++) {
      box[4 * i] = Math.min(box[4 * i], x[k]);
      box[4 * i + 1] = Math.min(box[4 * i + 1], y[k]);
      box[4 * i + 2] = Math.max(box[4 * i + 2], x[k]);
      box[4 * i + 3] = Math.max(box[4 * i + 3], y[k]);
    }
  }
  return { x, y, first, start, box, n };
}

function table(header, read) {
  if (!header) return null;
  const at = read(header.at);
  return { n: header.n, at, ...onSquare(at), columns: columnsOf(header, read) };
}

function tables(header, read) {
  const out = { header };
  out.points = { ...table(header.points, read), placed: header.points.placed,
    id: read(header.points.id).values, status: read(header.points.status) };
  out.points.n = header.points.n;
  out.cells = { ...table(header.cells, read), id: read(header.cells.id).values };
  out.masts = masts(out.cells);
  if (header.communes) {
    out.communes = { ...table(header.communes, read), code: read(header.communes.code).values,
      shape: shapesOf(header.communes.shape, read) };
    out.communes.of = communeOfPoints(out);
  }
  if (header.provinces) {
    out.provinces = { ...table(header.provinces, read), code: read(header.provinces.code).values,
      shape: shapesOf(header.provinces.shape, read) };
    const number = new Map(out.provinces.code.map((code, i) => [code, i])), codes = out.communes.columns.province_code;
    out.communes.province = Int32Array.from({ length: out.communes.n }, (_, i) =>
      (number.has(codes.of(i)) ? number.get(codes.of(i)) : -1));
  }
  for (const name of ["roads", "power"]) {
    if (header[name]) out[name] = { ...header[name], shape: shapesOf(header[name].shape, read) };
  }
  if (header.footprints) {
    out.footprints = { ...header.footprints, columns: columnsOf(header.footprints, read),
      shape: shapesOf(header.footprints.shape, read) };
  }
  if (header.plan && header.plan.spots) {
    out.spots = { ...table(header.plan.spots, read), id: read(header.plan.spots.id).values };
  }
  if (header.feeders) out.feeders = feedersOf(header, read);
  if (header.disagreement) out.disagreement = disagreementOf(header.disagreement, read);
  out.steps = snapshots(header.time, out.points.n, read);
  out.gainedAt = new Int32Array(out.points.n);
  for (const row of header.plan ? header.plan.rows : []) {
    for (const i of row.gained) out.gainedAt[i] = row.rank;
  }
  return out;
}

function feedersOf(header, read) {
  const out = { ...table(header.feeders, read), to: onSquare(read(header.feeders.to)),
    relay: read(header.feeders.relay), way: new Map(Object.entries(header.feeders.way)) };
  // The hops on the way from the first `built` sites of the plan to the network.
  out.usedBy = (built) => new Set((header.plan ? header.plan.rows : []).flatMap((row) =>
    (row.rank <= built ? out.way.get(row.site_id) || [] : [])));
  return out;
}

function disagreementOf(header, read) {
  const out = { n: header.n, columns: columnsOf(header, read), byPoint: new Map() };
  read(header.point).values.forEach((i, row) => {
    if (!out.byPoint.has(i)) out.byPoint.set(i, []);
    out.byPoint.get(i).push(row);
  });
  return out;
}

// Statuses of all dates; each is stored as its difference to the one before.
function snapshots(time, n, read) {
  const raw = read(time.statuses), out = [];
  for (let t = 0; t < time.steps.length; t++) {
    const now = raw.slice(t * n, (t + 1) * n);
    if (t) for (let i = 0; i < n; i++) now[i] ^= out[t - 1][i];
    out.push(now);
  }
  return out;
}

// Cells that stand on one mast follow one another.
function masts(cells) {
  const out = [], operators = cells.columns.operator, site = cells.columns.site_id;
  const names = operators ? operators.words : [""];
  const rank = names.map((name, i) => (i === 0 ? names.length - 1 : i - 1));
  for (let i = 0; i < cells.n; i++) {
    const last = out[out.length - 1];
    const operator = operators ? operators.codes[i] : 0;
    if (last && site.of(i) === last.site && operator === last.operator) last.cells.push(i);
    else out.push({ site: site.of(i), operator, number: rank[operator], x: cells.x[i], y: cells.y[i],
      cells: [i] });
  }
  return out;
}

function communeOfPoints(all) {
  const number = new Map(all.communes.code.map((code, i) => [code, i]));
  const codes = all.points.columns.commune_code;
  const out = new Int32Array(all.points.n).fill(-1);
  if (!codes) return out;
  const byWord = codes.words ? codes.words.map((w) => (number.has(w) ? number.get(w) : -1)) : null;
  for (let i = 0; i < out.length; i++) {
    out[i] = byWord ? byWord[codes.codes[i]] : number.has(codes.of(i)) ? number.get(codes.of(i)) : -1;
  }
  return out;
}

// Points of each commune by status: 4 numbers per commune.
function communeCounts(all, statuses) {
  const out = new Uint32Array(4 * all.communes.n), of = all.communes.of;
  for (let i = 0; i < statuses.length; i++) if (of[i] >= 0) out[4 * of[i] + statuses[i]]++;
  return out;
}

// The same for provinces, summed over their communes.
function provinceCounts(all, statuses) {
  const of = communeCounts(all, statuses), out = new Uint32Array(4 * all.provinces.n);
  all.communes.province.forEach((p, c) => {
    if (p >= 0) for (let s = 0; s < 4; s++) out[4 * p + s] += of[4 * c + s];
  });
  return out;
}

function shareCovered(counts, c) {
  const judged = counts[4 * c] + counts[4 * c + 1] + counts[4 * c + 2];
  return judged ? counts[4 * c] / judged : NaN;
}
