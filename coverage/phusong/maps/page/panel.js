// The side panel: numbers, targets, time, plan, and everything that the numbers stand on.

function headSection(state) {
  const { study, languages } = state.header;
  return el("header", { class: "head" },
    el("div", { class: "row" },
      el("p", { class: "product" }, word("ui", "product")),
      el("div", { class: "languages", role: "group", "aria-label": "Ngôn ngữ / Language" },
        languages.map((name) => el("button", { type: "button", lang: name,
          "aria-pressed": String(name === speech.language), onclick: () => state.speak(name) },
        speech.words.ui.language_name[name])))),
    el("h1", {}, both(study.title)), headline(state),
    state.header.withheld_below ? el("p", { class: "note" }, say("audience_public", {
      n: count(state.header.withheld_below) })) : "");
}

// What a reader shall know after two seconds.
function headline(state) {
  const { time, plan } = state.header, by = time.steps[time.steps.length - 1].status, at = "headline";
  const fig = (name, value, shown) => figure(`${at}.${name}`, value, shown);
  const places = by.uncovered.points ? sentenceWith("headline_gap", "n", fig("uncovered",
    by.uncovered.points), { total: fig("total", by.total.points) })
    : sentenceWith("headline_covered", "n", fig("covered", by.covered.points),
      { total: fig("total", by.total.points), open: fig("unsure", by.uncertain.points + by.unknown.points) });
  const out = [places, by.uncovered.points && by.uncovered.learners ? [" ", ...sentenceWith(
    "headline_students", "n", fig("learners", by.uncovered.learners))] : ""];
  const last = plan && plan.rows[plan.rows.length - 1];
  if (last) {
    out.push(" ", ...sentenceWith("headline_plan", "n", fig("sites", last.rank), {
      gain: last.cumulative_students ? [fig("gain", last.cumulative_students), ` ${word("ui", "students")}`]
        : [fig("gain_points", last.cumulative_points), ` ${word("ui", "points")}`],
      cost: fig("cost", last.cumulative_cost, money(last.cumulative_cost, plan.currency)) }));
  }
  return el("p", { class: "headline" }, out);
}

function definitionSection(state) {
  const d = state.header.study.definition, ui = (name) => word("ui", name);
  const technologies = d.technologies.map((t) => word("technology", t)).join(", ");
  return el("details", { class: "about" }, el("summary", {}, ui("definition")),
    el("p", {}, el("strong", {}, both(d.label)), " ", el("code", {}, d.name)),
    d.received_dbm === null ? "" : el("p", {}, say("definition_level", {
      place: word("assess_place", d.place), level: count(d.received_dbm), technologies })),
    d.probability === null || d.gap_probability === null ? "" : el("p", {}, say(
      "definition_probability", { yes: percent(d.probability), no: percent(d.gap_probability) })),
    d.operators_needed > 1 ? el("p", {}, say("definition_operators", { n: count(d.operators_needed) })) : "",
    d.partial ? el("p", { class: "warn" }, ui("definition_partial")) : "",
    el("p", {}, ui("definition_evidence")),
    d.source ? el("p", { class: "note" }, d.source) : "");
}

// In Vietnamese the sentence of the fault's kind, then the case itself as the program told it.
function faultWords(f) {
  const told = [f.what, f.cure].filter(Boolean).join(" ");
  return speech.language === "vi" && f.vi ? [f.vi, " ", el("span", { lang: "en", class: "told" }, told)] : [told];
}

function assumptionSection(state) {
  const { assumed, faults } = state.header;
  const filled = [["points", "assumed_points"], ["sites", "assumed_sites"]].flatMap(([table, what]) =>
    Object.entries(assumed[table]).map(([column, n]) => el("li", { class: "filled" }, `${word("ui", what)} – `,
      ...sentenceWith("assumption_column", "n", figure(`assumed.${table}.${column}`, n),
        { column: word("column", column) }))));
  const told = faults.map((f) => el("li", { class: f.severity }, el("strong", {},
    word("severity", f.severity)), ": ", both(f.place) ? `${both(f.place)}: ` : "", ...faultWords(f),
  f.count > 1 ? ` (${say("rows", { n: count(f.count) })})` : ""));
  const all = [...filled, ...told];
  return el("details", { class: "about" }, el("summary", {}, word("ui", "assumptions"),
    ` (${count(all.length)})`), all.length ? el("ul", {}, all) : el("p", {}, word("ui", "assumptions_none")));
}

function sourceSection(state) {
  const { sources, study } = state.header, ui = (name) => word("ui", name);
  return [el("details", { class: "about" }, el("summary", {}, ui("sources")),
    el("ul", {}, sources.map((s) => el("li", {}, el("code", {}, s.file), s.role ? ` – ${
      word("role", s.role)}` : "", s.accepted !== undefined && s.accepted !== null ? `, ${
      say("rows", { n: count(s.accepted) })}` : "", [s.licence, s.attribution, s.date].filter(Boolean).map((t) =>
      `. ${t}`)))),
    el("p", { class: "note" }, ui("map_library"))),
  el("details", { class: "about" }, el("summary", {}, ui("run")),
    rowsOf([[ui("study"), el("code", {}, study.name)], [ui("version"), study.program],
      [ui("run_hash"), el("code", { title: study.run }, study.run.slice(0, 16))],
      [ui("data_are"), ui(study.fictional ? "data_fictional" : "data_real")],
      [ui("day_shown"), day(study.day)],
      [ui("known_until"), study.known_on ? day(study.known_on) : ui("known_all")]]),
    el("p", { class: "note" }, ui(state.header.online ? "online" : "offline")))];
}

// Rebuilds the panel; open parts stay open and the place of reading is kept.
function fillPanel(panel, state) {
  const open = new Map([...panel.querySelectorAll("details")].map((d, i) => [i, d.open]));
  const focus = document.activeElement && panel.contains(document.activeElement)
    ? document.activeElement.id : "";
  const top = panel.scrollTop;
  panel.replaceChildren(...[state.header.study.fictional ? el("p", { class: "fictional", role: "note" },
    word("ui", "fictional")) : "", headSection(state), el("div", { class: "now" }, situationSection(state)),
    targetSection(state), timeSection(state), planSection(state),
    el("section", {}, definitionSection(state), assumptionSection(state), sourceSection(state)),
  ].filter(Boolean));
  [...panel.querySelectorAll("details")].forEach((d, i) => {
    if (open.has(i)) d.open = open.get(i);
  });
  panel.scrollTop = top;
  if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
}

// While a slider moves only the numbers around it change, so that it is not torn from the hand.
function refillNumbers(panel, state) {
  const place = (selector, made) => {
    const old = panel.querySelector(selector);
    if (!old || !made) return;
    const open = [...old.querySelectorAll("details")].map((d) => d.open);
    old.replaceWith(made);
    [...made.querySelectorAll("details")].forEach((d, i) => (d.open = open[i]));
  };
  place(".now", el("div", { class: "now" }, situationSection(state)));
  place(".targets", targetSection(state));
  [...panel.querySelectorAll(".history .column")].forEach((c, t) =>
    c.classList.toggle("shown", t === state.step));
}
