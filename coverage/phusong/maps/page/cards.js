// Cards: what is known about a place, a mast, a candidate or a commune, with the whole chain.

function rowsOf(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) =>
    [el("dt", {}, name), el("dd", {}, value)]));
}

function isKnown(value) {
  return value !== "" && value !== undefined && !Number.isNaN(value);
}

function listed(text, group) {
  return String(text || "").split(";").filter(Boolean).map((w) => (group ? word(group, w) : w)).join(", ");
}

function pointCard(all, state, i) {
  const { points } = all, get = (name) => cell(points, name, i);
  const status = state.header.statuses[state.statuses()[i]], last = state.atLast();
  const known = get("learners_poor"), near = get("learners_near_poor");
  const step = state.header.time.steps[state.step];
  return el("article", { class: "card" },
    el("h3", {}, get("name") || points.id[i]),
    el("p", { class: "under" }, [word("kind", get("kind")), listed(get("level")),
      get("commune_name")].filter(Boolean).join(" · ")),
    el("p", { class: `verdict ${status}` }, signPicture(20, 20, (c) =>
      drawSign(c, SHAPES[get("kind")] || "triangle", status, 10, 10, 7)),
    el("strong", {}, word("status", status)), last ? el("span", {}, word("reason", get("reason"))) : ""),
    last ? "" : el("p", { class: "note" }, `${say("at_this_date", { date: day(step.day) })}. ${
      say("details_last_date", { date: day(state.header.study.day) })}`),
    last ? chain(all, state, i) : "",
    last ? contradictions(all, i) : "",
    rowsOf([
      [word("ui", "learners_here"), count(get("learners"))],
      [word("ui", "poor_here"), poorHere(known, near)],
      isKnown(get("people")) && [word("ui", "people_here"), count(get("people"))],
      get("targets") && [word("column", "targets"), targetNames(state, get("targets"))],
      get("lockdown_from") > -1e9 && [word("column", "lockdown_from"),
        `${dayOfNumber(get("lockdown_from"))} – ${get("lockdown_to") > -1e9
          ? dayOfNumber(get("lockdown_to")) : "…"}`],
      get("parent_id") && [word("column", "parent_id"), get("parent_id")],
      all.steps.length > 1 && [word("ui", "history"), historyOf(all, state, i)],
      [word("ui", "code"), el("code", {}, points.id[i])],
      get("commune_code") && [word("column", "commune_code"), el("code", {}, get("commune_code"))],
      get("assumed") && [word("ui", "assumed"), listed(get("assumed"), "column")],
      get("location_source") && [word("column", "location_source"), get("location_source")],
      get("source") && [word("column", "source"), get("source")],
    ]));
}

// Where the model and an operator's word differ, both are told.
function contradictions(all, i) {
  const { disagreement } = all, rows = disagreement ? disagreement.byPoint.get(i) || [] : [];
  return rows.map((row) => {
    const get = (name) => cell(disagreement, name, row), edge = get("edge_m"), margin = get("margin_db");
    const declared = get("kind") !== "modelled_only", claimed = get("kind") === "claimed_only";
    return el("div", { class: "unequal" },
      el("p", {}, signPicture(20, 16, (c) => drawUnequal(c, declared, 10, 8, 7)), " ",
        el("strong", {}, claimed ? word("disagreement", "claimed_only") : word("ui", "disagreement"))),
      rowsOf([
        [word("ui", "model_says"), [word("status", get("modelled")), margin === "" || Number.isNaN(margin)
          ? "" : ` (${margin > 0 ? "+" : ""}${count(margin, 1)} dB)`]],
        [get("operators") ? listed(get("operators")) : word("ui", "operators_say"), [word("status",
          get("declared")), edge === "" || Number.isNaN(edge) ? "" : ` (${say(edge >= 0 ? "inside_edge"
          : "outside_edge", { d: length(Math.abs(edge)) })})`]],
      ]));
  });
}

// One entry for each date on which the status became another.
function historyOf(all, state, i) {
  const { statuses, time } = state.header, out = [];
  for (let t = 0; t <= state.step; t++) {
    if (!t || all.steps[t][i] !== all.steps[t - 1][i]) {
      out.push(el("span", { class: "past" }, `${day(time.steps[t].day)}: ${word("status", statuses[all.steps[t][i]])}`));
    }
  }
  return out;
}

function poorHere(poor, near) {
  const numbers = [poor, near].filter((v) => v !== "" && !Number.isNaN(v));
  if (!numbers.length) return word("ui", "not_known");
  if (numbers.includes(-1)) return count(-1);
  return count(numbers.reduce((a, b) => a + b, 0));
}

function targetNames(state, text) {
  const known = new Map((state.header.targets || []).map((t) => [t.name, both(t.label)]));
  return text.split(";").map((name) => known.get(name) || name).join(", ");
}

function chain(all, state, i) {
  const { points } = all, get = (name) => cell(points, name, i);
  const best = get("best_cell_id"), rank = all.gainedAt[i];
  const chosen = state.header.study.definition;
  const has = (v) => v !== "" && !Number.isNaN(v);
  return rowsOf([
    [word("ui", "by_definition"), get("definition") === chosen.name ? both(chosen.label)
      : get("definition")],
    [word("ui", "best_cell"), best ? [el("code", {}, best), get("best_operator")
      ? ` (${get("best_operator")})` : ""] : word("ui", "no_cell")],
    has(get("distance_m")) && [word("ui", "distance"), length(get("distance_m"))],
    has(get("received_dbm")) && [word("ui", "level_received"), `${count(get("received_dbm"), 1)} dBm`],
    has(get("margin_db")) && [word("ui", "margin"), `${get("margin_db") > 0 ? "+" : ""}${
      count(get("margin_db"), 1)} dB`],
    has(get("probability")) && [word("ui", "probability"), percent(get("probability"), 1)],
    get("operators") && [word("ui", "covered_by"), listed(get("operators"))],
    [word("ui", "evidence"), word("evidence", get("evidence"))],
    rank > 0 && [word("ui", "gained_by"), say("plan_site", { n: count(rank) })],
  ]);
}

function mastCard(all, state, m) {
  const mast = all.masts[m], { cells } = all, i0 = mast.cells[0];
  const shown = mast.cells.slice(0, 24);
  return el("article", { class: "card" },
    el("h3", {}, mast.site),
    el("p", { class: "under" }, [cell(cells, "operator", i0) || word("ui", "not_known"),
      word("site_status", cell(cells, "status", i0))].join(" · ")),
    el("h4", {}, `${word("ui", "cells_here")}: ${count(mast.cells.length)}`),
    shown.map((i) => {
      const get = (name) => cell(cells, name, i), azimuth = get("azimuth_deg");
      return el("details", { open: shown.length === 1 },
        el("summary", {}, el("code", {}, cells.id[i]),
          ` ${word("technology", get("technology"))} ${count(get("frequency_mhz"))} MHz`),
        rowsOf([
          [word("column", "antenna_height_m"), `${count(get("antenna_height_m"))} m`],
          [word("ui", "direction"), azimuth === "" || Number.isNaN(azimuth) ? word("ui", "omni")
            : `${count(azimuth)}°`],
          [word("column", "eirp_dbm"), `${count(get("eirp_dbm"))} dBm`],
          get("on_air_from") > -1e9 && [word("column", "on_air_from"), dayOfNumber(get("on_air_from"))],
          get("off_air_from") > -1e9 && [word("column", "off_air_from"), dayOfNumber(get("off_air_from"))],
          get("assumed") && [word("ui", "assumed"), listed(get("assumed"), "column")],
          get("source") && [word("column", "source"), get("source")],
        ]));
    }));
}

function spotCard(all, state, s) {
  const { spots, header } = all, get = (name) => cell(spots, name, s), { currency } = header.plan;
  const row = header.plan.rows.find((r) => r.spot === s);
  return el("article", { class: "card" },
    el("h3", {}, row ? `${word("ui", "rank")} ${count(row.rank)} · ` : "", el("code", {}, spots.id[s])),
    el("p", { class: "under" }, [word("intervention", get("intervention")), word("place", get("place")),
      word("site_status", "candidate")].filter(Boolean).join(" · ")),
    row ? planFacts(row, currency) : rowsOf([
      [word("ui", "cost"), money(get("cost"), currency)],
      [word("ui", "students_total"), count(get("alone"))],
      isKnown(get("people_alone")) && [word("ui", "people_total"), count(get("people_alone"))]]),
    rowsOf([
      get("ground_m") !== "" && [word("column", "ground_m"), `${count(get("ground_m"))} m`],
      get("road_distance_m") !== "" && [word("column", "road_distance_m"), length(get("road_distance_m"))],
      isKnown(get("road_grade")) && [word("column", "road_grade"), count(get("road_grade"))],
      get("power_distance_m") !== "" && [word("column", "power_distance_m"),
        length(get("power_distance_m"))],
      [word("column", "antenna_height_m"), `${count(get("antenna_height_m"))} m`]]),
    feederWay(all, spots.id[s], currency),
    row && row.items.length ? costItems(row, currency) : "");
}

// The way of the data from a site to the network, hop by hop.
function feederWay(all, site, currency) {
  const { feeders } = all, hops = (feeders && feeders.way.get(site)) || [];
  if (!hops.length) return "";
  return [el("h4", {}, word("ui", "feeder")), el("ol", { class: "hops" }, hops.map((h) => {
    const get = (name) => cell(feeders, name, h), known = (v) => v !== "" && !Number.isNaN(v);
    return el("li", {}, `${word("medium", get("medium"))}${get("to_id") ? " → " : ""}`,
      get("to_id") ? el("code", {}, get("to_id")) : "", [
        known(get("length_m")) ? length(get("length_m")) : "",
        known(get("band_ghz")) ? `${count(get("band_ghz"))} GHz` : "",
        known(get("cost")) ? money(get("cost"), currency) : ""].filter(Boolean).map((t) => `, ${t}`));
  }))];
}

function planFacts(row, currency) {
  const ui = (name) => word("ui", name);
  return rowsOf([
    [ui("students_gained"), count(row.students_gained)],
    [ui("points_gained"), count(row.points_gained)],
    row.poor_students_gained !== undefined && [ui("poor_gained"), count(row.poor_students_gained)],
    row.people_gained !== undefined && [ui("people_gained"), count(row.people_gained)],
    row.students_total !== undefined && [ui("students_total"), count(row.students_total)],
    row.students_exclusive !== undefined && [ui("students_exclusive"), count(row.students_exclusive)],
    [ui("cost"), costShown(row, currency)],
    row.students_per_cost !== undefined && [say("students_per_cost", { currency }),
      count(row.students_per_cost)],
  ]);
}

function costShown(row, currency) {
  const range = row.cost_low !== undefined && row.cost_low !== null && row.cost_high !== null;
  return el("span", { title: `${count(row.cost_total)} ${currency}` }, money(row.cost_total, currency),
    range ? el("span", { class: "soft" }, ` (${say("cost_range", { low: money(row.cost_low, ""),
      high: money(row.cost_high, currency) })})`) : "");
}

function costItems(row, currency) {
  const range = ({ low, high }) => [low, high].every((v) => typeof v === "number") && low !== high &&
    el("span", { class: "soft" }, `${money(low, "").trim()} – ${money(high, currency)}`);
  return el("table", { class: "items" }, el("tbody", {}, row.items.map((item) => el("tr", {
    title: item.source },
  el("td", {}, word("cost_item", item.item), " ", el("span", { class: "soft" }, `${
    count(item.quantity)} ${word("unit", item.unit)}`)),
  el("td", { class: "n" }, money(item.cost, currency), range(item) || "")))));
}

function communeCard(all, state, c) {
  const { communes } = all, counts = communeCounts(all, state.statuses());
  const share = shareCovered(counts, c), population = cell(communes, "population", c);
  return el("article", { class: "card" },
    el("h3", {}, communes.columns.name.of(c) || communes.code[c]),
    el("p", { class: "under" }, word("kind", "commune"), " · ", el("code", {}, communes.code[c])),
    rowsOf([
      [word("ui", "share_covered"), Number.isNaN(share) ? word("ui", "no_judgement") : percent(share)],
      ...state.header.statuses.map((s, k) => [word("status", s), count(counts[4 * c + k])]),
      population !== "" && [word("ui", "population"), count(population)],
      isKnown(cell(communes, "people", c)) && [word("ui", "people_raster"),
        count(cell(communes, "people", c))],
    ]));
}

function provinceCard(all, state, p) {
  const counts = provinceCounts(all, state.statuses()), share = shareCovered(counts, p);
  return el("article", { class: "card" },
    el("h3", {}, provinceName(all, p)),
    el("p", { class: "under" }, word("ui", "province"), " · ", el("code", {}, all.provinces.code[p])),
    rowsOf([
      [word("ui", "share_covered"), Number.isNaN(share) ? word("ui", "no_judgement") : percent(share)],
      ...state.header.statuses.map((s, k) => [word("status", s), count(counts[4 * p + k])]),
    ]));
}

// What lies under a click, nearest first: sites of the plan, places, masts, candidates, communes.
function under(scene, at, wide) {
  const { all, state } = scene, out = [];
  const near = (kind, i, x, y, r, weight) => {
    const d = Math.hypot(scene.px(x) - at.x, scene.py(y) - at.y);
    if (d <= r) out.push({ kind, i, x, y, order: weight + d });
  };
  const reach = wide || Math.max(scene.radius(), L.Browser.mobile ? 14 : 7) + 2;
  if (all.spots && state.on.plan && state.atLast()) {
    for (const row of all.header.plan.rows) {
      if (row.spot >= 0) near("spot", row.spot, all.spots.x[row.spot], all.spots.y[row.spot], 13, -20);
    }
  }
  if (state.on.points && !scene.crowded()) {
    const { points } = all;
    for (let i = 0; i < points.placed; i++) {
      if (Math.abs(scene.px(points.x[i]) - at.x) > reach) continue;
      if (state.visible(i)) {
        near("point", i, points.x[i], points.y[i], reach, 0);
      }
    }
  }
  if (state.on.cells && !scene.crowded()) all.masts.forEach((m, i) => near("mast", i, m.x, m.y, reach, 3));
  if (all.spots && state.on.spots) {
    for (let i = 0; i < all.spots.n; i++) near("spot", i, all.spots.x[i], all.spots.y[i], reach, 5);
  }
  const seen = new Set();
  const found = out.sort((p, q) => p.order - q.order || p.i - q.i).filter((f) => {
    const key = `${f.kind} ${f.i}`;
    return !seen.has(key) && seen.add(key);
  });
  if (!found.length && all.communes && (state.on.communes || state.on.borders)) {
    const kind = scene.provincial() ? "province" : "commune", units = all[`${kind}s`];
    const c = shapeAt(scene, units.shape, at);
    if (c >= 0) found.push({ kind, i: c, x: units.x[c], y: units.y[c] });
  }
  return found;
}

function shapeAt(scene, shape, at) {
  const ctx = scene._ctx;
  ctx.save();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  let found = -1;
  for (let i = 0; i < shape.n && found < 0; i++) {
    if (!visible(scene, shape, i)) continue;
    ctx.beginPath();
    trace(scene, ctx, shape, i);
    if (ctx.isPointInPath(at.x, at.y, "evenodd")) found = i;
  }
  ctx.restore();
  return found;
}

const CARDS = { point: pointCard, mast: mastCard, spot: spotCard, commune: communeCard,
  province: provinceCard };

function nameOf(all, hit) {
  if (hit.kind === "point") return cell(all.points, "name", hit.i) || all.points.id[hit.i];
  if (hit.kind === "mast") return all.masts[hit.i].site;
  if (hit.kind === "spot") return all.spots.id[hit.i];
  if (hit.kind === "province") return provinceName(all, hit.i);
  return all.communes.columns.name.of(hit.i) || all.communes.code[hit.i];
}

// The card with a pager if several things stand on one spot.
function pagedCard(all, state, hits, moved) {
  let now = 0;
  const holder = el("div", {});
  const fill = () => {
    const pager = hits.length < 2 ? "" : el("div", { class: "pager" },
      el("button", { type: "button", onclick: () => turn(-1), "aria-label": word("ui", "previous") }, "‹"),
      el("span", {}, say("one_of", { n: count(now + 1), total: count(hits.length) })),
      el("button", { type: "button", onclick: () => turn(1), "aria-label": word("ui", "next") }, "›"));
    holder.replaceChildren(...[pager, CARDS[hits[now].kind](all, state, hits[now].i)].filter(Boolean));
  };
  const turn = (by) => {
    now = (now + by + hits.length) % hits.length;
    fill();
    moved(hits[now]);
  };
  fill();
  return holder;
}
