// The list of layers is the legend at the same time: what is ticked is explained.

function tick(state, checked, set, picture, text) {
  const box = el("input", { type: "checkbox", onchange: () => {
    set(box.checked);
    state.redraw();
  } });
  box.checked = checked;
  return el("label", { class: "tick" }, box, picture || "", el("span", {}, text));
}

function layerTick(state, name, label, picture) {
  return tick(state, state.on[name], (on) => {
    state.on[name] = on;
    if (name === "borders") state.on.names = on;
    if (name === "tiles") state.tiles();
  }, picture, word("ui", label));
}

function pointLegend(all, state) {
  const { kind } = all.points.columns, { statuses } = state.header;
  const present = kind.words.map((name, i) => [name, i]).filter(([, i]) => i && kind.codes.includes(i));
  return el("fieldset", {}, el("legend", {}, word("ui", "layer_points")),
    statuses.map((s, i) => tick(state, state.statusOn[i], (on) => (state.statusOn[i] = on),
      statusSign(s, 17), word("status", s))),
    present.length > 1 ? el("div", { class: "kinds" }, present.map(([name, i]) => tick(state, state.kindOn[i],
      (on) => (state.kindOn[i] = on), signPicture(17, 17, (c) => {
        c.strokeStyle = COLOURS.ink;
        c.lineWidth = 1.4;
        c.stroke(outline(SHAPES[name] || "triangle", 8.5, 8.5, 6.2));
      }), word("kind", name)))) : "");
}

function cellLegend(all, state) {
  if (!all.cells.n) return "";
  const { operator, technology } = all.cells.columns;
  const operators = operator ? operator.words.map((name, i) => [name, i]).filter(([, i]) =>
    all.masts.some((m) => m.operator === i)) : [];
  const technologies = technology.words.filter((t) => t).sort((p, q) =>
    (GENERATION[p] ?? 9) - (GENERATION[q] ?? 9));
  return el("fieldset", {}, el("legend", {}, layerTick(state, "cells", "layer_cells")),
    operators.map(([name, i]) => tick(state, state.operators[i], (on) => (state.operators[i] = on),
      signPicture(17, 17, (c) => drawMast(c, all.masts.find((m) => m.operator === i).number, 0, 8.5, 8.5,
        5.4)), name === "unknown" || !name ? word("ui", "not_known") : name)),
    el("div", { class: "kinds" }, technologies.map((t) => tick(state, state.technologies[t] !== false,
      (on) => (state.technologies[t] = on), signPicture(17, 17, (c) => {
        c.fillStyle = COLOURS.ink;
        for (let i = 0; i < (GENERATION[t] || 0); i++) c.fillRect(2 + i * 4, 14 - 4 - i * 2.6, 2.6, 4 + i * 2.6);
      }), word("technology", t)))));
}

function planLegend(all, state) {
  if (!all.spots) return "";
  const sign = (paint) => signPicture(22, 22, paint);
  return el("fieldset", {}, el("legend", {}, word("ui", "layer_plan")),
    layerTick(state, "plan", "plan", sign((c) => drawRank(c, 1, true, 11, 11, 8))),
    layerTick(state, "links", "layer_links", sign((c) => {
      c.strokeStyle = COLOURS.gain;
      c.lineWidth = 2;
      c.moveTo(2, 18); c.lineTo(14, 8);
      c.stroke();
      ring(c, 15.5, 7, 4.5, COLOURS.gain, 2.5);
    })),
    all.feeders ? [layerTick(state, "feeders", "layer_feeders"), ...all.feeders.columns.medium.words.filter(
      (m) => m).map((m) => el("p", { class: "key" }, signPicture(22, 14, (c) => {
      if (m === "satellite") return ring(c, 11, 7, 5.5, COLOURS.feeder, 2, [4, 3]);
      c.setLineDash(MEDIA[m] || []);
      c.strokeStyle = COLOURS.feeder;
      c.lineWidth = 2;
      c.moveTo(1, 7); c.lineTo(21, 7);
      return c.stroke();
    }), " ", word("medium", m)))] : "",
    layerTick(state, "spots", "layer_spots", sign((c) => drawSpot(c, 11, 11, 6))));
}

function communeLegend(all, state) {
  if (!all.communes) return "";
  return el("fieldset", {}, el("legend", {}, layerTick(state, "communes", all.provinces
    ? "layer_provinces" : "layer_communes")),
    el("p", { class: "under" }, word("ui", "share_covered")),
    el("div", { class: "scale" }, SHARES.map(([from, colour], i) => {
      const box = el("i", {});
      box.style.background = colour;
      return el("span", {}, box, percent(from) + (i === SHARES.length - 1 ? ` – ${percent(1)}` : ""));
    }), el("span", {}, signPicture(26, 12, (c) => {
      c.fillStyle = hatch(c);
      c.fillRect(0, 0, 26, 12);
      c.strokeRect(0, 0, 26, 12);
    }), word("ui", "no_judgement"))),
    layerTick(state, "borders", "layer_borders"));
}

function groundLegend(all, state) {
  const line = (colour, width, dash) => signPicture(22, 12, (c) => {
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.setLineDash(dash || []);
    c.moveTo(1, 6); c.lineTo(21, 6);
    c.stroke();
  });
  const hoop = (colour, dash) => signPicture(17, 17, (c) => ring(c, 8.5, 8.5, 6.5, colour, 2, dash));
  return el("fieldset", {}, el("legend", {}, word("ui", "map")),
    all.header.online ? layerTick(state, "tiles", "layer_tiles") : "",
    all.header.relief ? layerTick(state, "relief", "layer_relief") : "",
    all.roads ? layerTick(state, "roads", "layer_roads", line("#785f46", 2)) : "",
    all.power ? layerTick(state, "power", "layer_power", line("#3c3c3c", 1.2, [5, 4])) : "",
    all.footprints ? layerTick(state, "footprints", "layer_footprints", signPicture(22, 14, (c) => {
      c.fillStyle = c.strokeStyle = OPERATORS[0];
      c.globalAlpha = 0.25;
      c.fillRect(1.5, 1.5, 19, 11);
      c.globalAlpha = 1;
      c.strokeRect(1.5, 1.5, 19, 11);
    })) : "",
    all.points.columns.lockdown_from ? layerTick(state, "lockdown", "layer_lockdown",
      hoop(COLOURS.lockdown, [3, 2.5])) : "",
    all.steps.length > 1 ? layerTick(state, "changes", "layer_changes", signPicture(38, 20, (c) => {
      drawChange(c, true, 8, 12, 5.5);
      drawChange(c, false, 26, 12, 5.5);
    })) : "");
}

function evidenceLegend(all, state) {
  const { evidence } = all.points.columns, { disagreement } = all;
  const kinds = evidence ? evidence.words.map((name, i) => [name, i]).filter(([, i]) => i &&
    evidence.codes.includes(i)) : [];
  if (kinds.length < 2 && !disagreement) return "";
  return el("fieldset", {}, el("legend", {}, word("ui", "layer_evidence")),
    kinds.length > 1 ? kinds.map(([name, i]) => tick(state, state.evidenceOn[i], (on) => (state.evidenceOn[i] = on),
      "", word("evidence", name))) : "",
    disagreement ? [layerTick(state, "disagreement", "layer_disagreement"), ...["declared_only",
      "claimed_only", "modelled_only"].filter((kind) => kind !== "claimed_only" ||
      disagreement.columns.kind.words.includes(kind)).map((kind) => el("p", { class: "key" },
      signPicture(20, 16, (c) => drawUnequal(c, kind !== "modelled_only", 10, 8, 7)), " ",
      word("disagreement", kind)))] : "");
}

function targetLegend(all, state) {
  const targets = state.header.targets || [];
  if (!targets.length || !all.points.columns.targets) return "";
  const radio = (name, text) => {
    const box = el("input", { type: "radio", name: "target", onchange: () => {
      state.target = name;
      state.changed();
    } });
    box.checked = state.target === name;
    return el("label", { class: "tick" }, box, el("span", {}, text));
  };
  return el("fieldset", {}, el("legend", {}, word("ui", "layer_target")), radio(null, word("ui", "all_points")),
    targets.map((t) => radio(t.name, both(t.label))));
}

function fillLegend(holder, all, state) {
  const before = holder.querySelector("details");
  const open = before ? before.open : window.innerWidth >= 900 && window.innerHeight >= 560;
  holder.replaceChildren(el("details", { open }, el("summary", {}, word("ui", "layers")),
    el("div", { class: "layers" }, [pointLegend, targetLegend, planLegend, cellLegend, communeLegend,
      evidenceLegend, groundLegend].map((part) => part(all, state)).filter(Boolean))));
}
