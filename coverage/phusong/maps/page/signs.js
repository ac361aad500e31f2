// Signs: a shape for the kind, colour and inner mark for the status, so that grey prints read too.

const COLOURS = {
  covered: "#0072b2", uncertain: "#e69f00", uncovered: "#d55e00", unknown: "#ffffff",
  ink: "#1b1b1b", paper: "#ffffff", gain: "#009e73", lockdown: "#6a3d9a",
  lost: "#b2182b", doubt: "#8e0152", feeder: "#5b3a8c",
};
const OPERATORS = ["#009e73", "#cc79a7", "#56b4e9", "#7a5c00", "#444444"];
const SHARES = [[0, "#a3501f"], [0.2, "#c98146"], [0.4, "#dfae7c"], [0.6, "#eed6b8"],
  [0.8, "#faf5ee"]];
const SHAPES = {
  school: "circle", branch_school: "small", vocational: "pentagon",
  continuing_education: "pentagon", community_learning_centre: "pentagon",
  university: "pentagon", commune: "square", village: "diamond", other: "triangle",
};

function polygon(path, x, y, r, n, turn) {
  for (let i = 0; i < n; i++) {
    const a = turn + (2 * Math.PI * i) / n;
    path[i ? "lineTo" : "moveTo"](x + r * Math.cos(a), y + r * Math.sin(a));
  }
  path.closePath();
}

function outline(shape, x, y, r) {
  const path = new Path2D();
  if (shape === "square") path.rect(x - r * 0.86, y - r * 0.86, r * 1.72, r * 1.72);
  else if (shape === "diamond") polygon(path, x, y, r * 1.1, 4, -Math.PI / 2);
  else if (shape === "triangle") polygon(path, x, y, r * 1.2, 3, -Math.PI / 2);
  else if (shape === "pentagon") polygon(path, x, y, r * 1.15, 5, -Math.PI / 2);
  else path.arc(x, y, shape === "small" ? r * 0.74 : r, 0, 2 * Math.PI);
  return path;
}

// The sign of a place; `r` in CSS pixels. Below 4 pixels the inner marks are left out.
function drawSign(ctx, shape, status, x, y, r) {
  const path = outline(shape, x, y, r);
  const inner = shape === "small" ? r * 0.74 : r;
  ctx.fillStyle = status === "uncertain" && r >= 4 ? COLOURS.paper : COLOURS[status];
  ctx.fill(path);
  if (r >= 4) {
    ctx.save();
    ctx.clip(path);
    if (status === "uncertain") {
      ctx.fillStyle = COLOURS.uncertain;
      ctx.fillRect(x - 2 * r, y, 4 * r, 2 * r);
    }
    ctx.strokeStyle = ctx.fillStyle = status === "unknown" ? COLOURS.ink : COLOURS.paper;
    if (status === "uncovered") {
      ctx.lineWidth = Math.max(1.1, r * 0.26);
      const d = inner * 0.4;
      ctx.beginPath();
      ctx.moveTo(x - d, y - d); ctx.lineTo(x + d, y + d);
      ctx.moveTo(x + d, y - d); ctx.lineTo(x - d, y + d);
      ctx.stroke();
    } else if (status === "unknown") {
      ctx.font = `700 ${Math.round(inner * 1.5)}px system-ui, sans-serif`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText("?", x, y + inner * 0.08);
    }
    ctx.restore();
  }
  ctx.lineWidth = r >= 4 ? 1.1 : 0.7;
  ctx.strokeStyle = r >= 4 || status === "unknown" ? COLOURS.ink : "rgba(255,255,255,.75)";
  ctx.stroke(path);
}

const MASTS = ["up", "down", "glass", "plus"];

function mastPath(form, x, y, r) {
  const p = new Path2D();
  const line = (...xy) => {
    for (let i = 0; i < xy.length; i += 2) p[i ? "lineTo" : "moveTo"](x + xy[i] * r, y + xy[i + 1] * r);
    p.closePath();
  };
  if (form === "up") line(0, -1, 0.85, 0.8, -0.85, 0.8);
  else if (form === "down") line(0, 1, 0.85, -0.8, -0.85, -0.8);
  else if (form === "glass") line(-0.8, -0.9, 0.8, -0.9, -0.8, 0.9, 0.8, 0.9);
  else line(-0.3, -1, 0.3, -1, 0.3, -0.3, 1, -0.3, 1, 0.3, 0.3, 0.3, 0.3, 1, -0.3, 1, -0.3, 0.3,
    -1, 0.3, -1, -0.3, -0.3, -0.3);
  return p;
}

// A mast: form and colour by operator, bars beside it by generation (one bar = 2G … four = 5G).
function drawMast(ctx, number, generation, x, y, r) {
  const path = mastPath(MASTS[number % MASTS.length], x, y, r);
  ctx.fillStyle = OPERATORS[Math.min(number, OPERATORS.length - 1)];
  ctx.fill(path);
  ctx.lineWidth = 1;
  ctx.strokeStyle = r >= 4 ? COLOURS.ink : "rgba(255,255,255,.8)";
  ctx.stroke(path);
  if (generation) {
    ctx.fillStyle = COLOURS.ink;
    for (let i = 0; i < generation; i++) ctx.fillRect(x + r + 1.5 + i * 3, y + r * 0.8 - 3 - i * 2, 2, 3 + i * 2);
  }
}

function drawRank(ctx, rank, built, x, y, r) {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fillStyle = built ? COLOURS.ink : COLOURS.paper;
  ctx.fill();
  ctx.lineWidth = 3.5;
  ctx.strokeStyle = COLOURS.paper;
  ctx.stroke();
  ctx.lineWidth = 1.6;
  ctx.strokeStyle = COLOURS.ink;
  ctx.stroke();
  ctx.fillStyle = built ? COLOURS.paper : COLOURS.ink;
  ctx.font = `700 ${Math.round(r * (rank > 99 ? 0.85 : 1.12))}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(String(rank), x, y + 0.5);
}

function drawSpot(ctx, x, y, r) {
  const path = outline("triangle", x, y, r);
  ctx.fillStyle = "rgba(255,255,255,.85)";
  ctx.fill(path);
  ctx.lineWidth = 1.2;
  ctx.strokeStyle = COLOURS.ink;
  ctx.stroke(path);
}

function hatch(ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const c = tile.getContext("2d");
  c.strokeStyle = "rgba(60,60,60,.45)";
  c.beginPath();
  c.moveTo(-2, 10); c.lineTo(10, -2);
  c.stroke();
  return ctx.createPattern(tile, "repeat");
}

// A small picture of a sign for legends and cards.
function signPicture(width, height, paint) {
  const scale = Math.max(2, window.devicePixelRatio || 1);
  const out = el("canvas", { width: width * scale, height: height * scale, class: "sign",
    "aria-hidden": "true" });
  out.style.width = `${width}px`;
  out.style.height = `${height}px`;
  const ctx = out.getContext("2d");
  ctx.scale(scale, scale);
  paint(ctx);
  return out;
}
