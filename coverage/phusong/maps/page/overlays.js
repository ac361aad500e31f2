// What is laid over the places: changes, distancing, disagreement with operators, feeder hops.

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
    if (!test(i, now[i]) || !state.visible(i)) continue;
    const x = scene.px(points.x[i]), y = scene.py(points.y[i]);
    if (scene.inside(x, y, 12)) paint(x, y, i);
  }
}

function paintLockdown(scene, ctx) {
  const { points } = scene.all, days = scene.state.days(), r = scene.radius() + 2.5;
  if (!points.columns.lockdown_from) return;
  eachShown(scene, (i) => cell(points, "lockdown_from", i) <= days &&
    !(cell(points, "lockdown_to", i) < days),
  (x, y) => ring(ctx, x, y, r, COLOURS.lockdown, 1.8, [3, 2.5]));
}

// A flag beside the sign: an arrow up where coverage was won, down where it was lost.
function drawChange(ctx, won, x, y, r) {
  ring(ctx, x, y, r, COLOURS.paper, 4);
  ring(ctx, x, y, r, won ? COLOURS.ink : COLOURS.lost, 2);
  const ax = x + r * 0.9, ay = y - r * 0.9, s = Math.max(4, r * 0.6), up = won ? -1 : 1;
  ctx.beginPath();
  ctx.moveTo(ax, ay + up * s);
  ctx.lineTo(ax + s, ay - up * s * 0.7);
  ctx.lineTo(ax - s, ay - up * s * 0.7);
  ctx.closePath();
  ctx.fillStyle = won ? COLOURS.ink : COLOURS.lost;
  ctx.fill();
  ctx.strokeStyle = COLOURS.paper;
  ctx.lineWidth = 1;
  ctx.stroke();
}

function paintChanges(scene, ctx) {
  const before = scene.all.steps[scene.state.since], r = scene.radius() + 2.5;
  eachShown(scene, (i, now) => (now === 0) !== (before[i] === 0), (x, y, i) =>
    drawChange(ctx, before[i] !== 0, x, y, r));
}

// The sign of "not equal": who declares what the model does not find, or the reverse.
function drawUnequal(ctx, declared, x, y, r) {
  ctx.beginPath();
  ctx.rect(x - r, y - r * 0.8, 2 * r, 1.6 * r);
  ctx.fillStyle = declared ? COLOURS.doubt : COLOURS.paper;
  ctx.fill();
  ctx.lineWidth = 1.3;
  ctx.strokeStyle = COLOURS.ink;
  ctx.stroke();
  ctx.strokeStyle = declared ? COLOURS.paper : COLOURS.ink;
  ctx.lineWidth = Math.max(1.2, r * 0.24);
  ctx.beginPath();
  ctx.moveTo(x - r * 0.62, y - r * 0.24); ctx.lineTo(x + r * 0.62, y - r * 0.24);
  ctx.moveTo(x - r * 0.62, y + r * 0.24); ctx.lineTo(x + r * 0.62, y + r * 0.24);
  ctx.moveTo(x + r * 0.3, y - r * 0.62); ctx.lineTo(x - r * 0.3, y + r * 0.62);
  ctx.stroke();
}

function paintDisagreement(scene, ctx) {
  const { disagreement, points } = scene.all, { state } = scene;
  if (!disagreement || !state.atLast()) return;
  const r = Math.max(5, scene.radius() * 0.9);
  for (const [i, rows] of disagreement.byPoint) {
    if (i >= points.placed || !state.visible(i)) continue;
    const x = scene.px(points.x[i]), y = scene.py(points.y[i]);
    if (!scene.inside(x, y, 20)) continue;
    drawUnequal(ctx, cell(disagreement, "kind", rows[0]) !== "modelled_only", x, y - scene.radius() - r, r);
  }
}

// A hop is shown as soon as a site that stands on it is built; each medium has its own stroke.
const MEDIA = { microwave: [7, 4], fibre: [], satellite: [], relay: [2, 3] };

function paintFeeders(scene, ctx) {
  const { feeders } = scene.all, { state } = scene;
  if (!feeders || !state.atLast()) return;
  const used = [...feeders.usedBy(state.built)];
  const lines = (hops, colour, width, dash) => {
    ctx.beginPath();
    for (const i of hops) {
      ctx.moveTo(scene.px(feeders.x[i]), scene.py(feeders.y[i]));
      ctx.lineTo(scene.px(feeders.to.x[i]), scene.py(feeders.to.y[i]));
    }
    ctx.setLineDash(dash);
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke();
    ctx.setLineDash([]);
  };
  lines(used, COLOURS.paper, 4.5, []);
  for (const [medium, dash] of Object.entries(MEDIA)) {
    lines(used.filter((i) => cell(feeders, "medium", i) === medium), COLOURS.feeder, 2, dash);
  }
  for (const i of used) {
    if (feeders.relay[i]) drawSpot(ctx, scene.px(feeders.to.x[i]), scene.py(feeders.to.y[i]), 6);
    if (cell(feeders, "medium", i) === "satellite") {
      ring(ctx, scene.px(feeders.x[i]), scene.py(feeders.y[i]), 14, COLOURS.feeder, 2, [4, 3]);
    }
  }
}
