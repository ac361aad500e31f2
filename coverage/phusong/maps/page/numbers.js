// The situation in numbers: every figure comes from the tables, none is counted here.

function bar(parts, total) {
  return el("div", { class: "bar", "aria-hidden": "true" }, parts.filter((p) => p[1] > 0).map(
    ([status, n]) => {
      const part = el("i", { class: status });
      part.style.flexGrow = String(n / (total || 1));
      return part;
    }));
}

function statusSign(status, side) {
  return signPicture(side, side, (c) => drawSign(c, "circle", status, side / 2, side / 2, side / 2 - 1.5));
}

function situationSection(state) {
  const ui = (name, values) => (values ? say(name, values) : word("ui", name));
  const step = state.header.time.steps[state.step], by = step.status, at = "situation.status";
  const names = state.header.statuses;
  return el("section", { class: "situation", "aria-label": ui("numbers") },
    el("h2", {}, ui("numbers"), el("span", { class: "when" }, ui("as_of", { date: day(step.day) }),
      state.header.study.known_on ? el("span", { class: "known" }, ui("known_on", {
        date: day(state.header.study.known_on) })) : "")),
    el("div", { class: "tiles" }, names.map((s) => el("div", { class: `tile ${s}` },
      el("div", { class: "big" }, figure(`${at}.${s}.points`, by[s].points)),
      el("div", { class: "what", title: word("status_note", s) }, statusSign(s, 15), " ",
        word("status", s))))),
    bar(names.map((s) => [s, by[s].points]), by.total.points),
    el("p", { class: "under" }, sentenceWith("points_total", "n",
      figure(`${at}.total.points`, by.total.points))),
    el("dl", { class: "main" },
      el("dt", {}, ui("students_without")),
      el("dd", {}, figure(`${at}.uncovered.learners`, by.uncovered.learners), el("span", { class: "soft" },
        " ", sentenceWith("of_all", "n", "", { total: figure(`${at}.total.learners`, by.total.learners) }))),
      el("dt", { class: "sub" }, ui("poor_without")),
      el("dd", {}, figure(`${at}.uncovered.poor`, by.uncovered.poor)),
      by.total.people === undefined ? "" : [el("dt", { class: "sub", title: ui("people_note") },
        ui("people_without")), el("dd", {}, figure(`${at}.uncovered.people`, by.uncovered.people),
        el("span", { class: "soft" }, " ", sentenceWith("of_all", "n", "", {
          total: figure(`${at}.total.people`, by.total.people) })))],
      el("dt", {}, ui("students_unsure")),
      el("dd", {}, figure(`${at}.uncertain.learners`, by.uncertain.learners), " + ",
        figure(`${at}.unknown.learners`, by.unknown.learners))),
    state.header.study.definition.partial ? el("p", { class: "warn" }, ui("definition_partial")) : "",
    state.header.assumed.points.learners ? el("p", { class: "note warn" }, sentenceWith(
      "learners_assumed", "n", figure("assumed.learners", state.header.assumed.points.learners))) : "",
    [["learners_missing", "learners_unknown"], ["poor_missing", "poor_unknown"]].map(([name, text]) =>
      by.total[name] ? el("p", { class: "note" }, sentenceWith(text, "n",
        figure(`${at}.total.${name}`, by.total[name]))) : ""),
    state.step > state.since ? changes(state) : "",
    kindTable(state, step), reasonTable(step));
}

// A sentence with an element in the place of one of its values.
function sentenceWith(name, place, element, others) {
  const values = { [place]: element, ...(others || {}) };
  return word("ui", name).split("{").flatMap((part, i) => {
    if (i === 0) return [part];
    const end = part.indexOf("}");
    return [values[part.slice(0, end)], part.slice(end + 1)];
  });
}

function changes(state) {
  const { steps, gained, lost } = state.header.time, { step, since } = state;
  return el("p", { class: "note" }, sentenceWith("changed_since", "n",
    figure("situation.gained", gained[step][since]), { date: day(steps[since].day) }),
  "; ", ...sentenceWith("lost_since", "n", figure("situation.lost", lost[step][since])), ".");
}

function kindTable(state, step) {
  const names = state.header.statuses;
  return el("details", {}, el("summary", {}, word("ui", "by_kind")),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, word("ui", "kind_header")),
      names.map((s) => el("th", { scope: "col", class: "n" }, statusSign(s, 14),
        el("span", { class: "hidden" }, word("status", s)))))),
    el("tbody", {}, Object.entries(step.kinds).map(([kind, by]) => el("tr", {},
      el("th", { scope: "row" }, word("kind", kind)), names.map((s) => el("td", { class: "n" },
        figure(`situation.kinds.${kind}.${s}`, by[s]))))))));
}

function reasonTable(step) {
  if (!step.reasons.length) return "";
  return el("details", { open: true }, el("summary", {}, word("ui", "by_reason")),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, ""),
      el("th", { scope: "col", class: "n" }, word("ui", "points")),
      el("th", { scope: "col", class: "n" }, word("ui", "students")))),
    el("tbody", {}, step.reasons.map((row) => {
      const at = `situation.reasons.${row.status}.${row.reason}`;
      return el("tr", {}, el("th", { scope: "row", title: word("reason", row.reason) }, statusSign(row.status, 14), " ",
        word("reason_short", row.reason)), el("td", { class: "n" }, figure(`${at}.points`, row.points)),
      el("td", { class: "n" }, figure(`${at}.learners`, row.learners)));
    }))));
}

function targetSection(state) {
  const targets = state.header.targets || [];
  if (!targets.length) return "";
  return el("section", { class: "targets" }, el("h2", {}, word("ui", "targets")),
    targets.map((t) => targetCard(state, t)));
}

function targetCard(state, target) {
  const days = Object.keys(target.dates).sort(), now = state.header.time.steps[state.step].day;
  const shown = days.filter((d) => d <= now).pop() || days[0], row = target.dates[shown];
  const at = `targets.${target.name}`, names = state.header.statuses;
  const only = state.target === target.name;
  return el("div", { class: "target" },
    el("h3", {}, both(target.label)),
    el("p", { class: "under" }, `${word("ui", "goal")}: `, figure(`${at}.goal`, row.goal), " · ",
      `${word("ui", "deadline")}: ${day(target.deadline)} (${deadlineWords(row)})`),
    bar(names.map((s) => [s, row[s]]), row.points),
    el("ul", { class: "counts" }, names.map((s) => el("li", {}, statusSign(s, 14), " ",
      figure(`${at}.${s}`, row[s]), " ", el("span", { class: "soft" }, word("status", s).toLowerCase())))),
    el("p", { class: "goal" }, row.short ? sentenceWith("to_goal", "n", figure(`${at}.short`, row.short))
      : word("ui", "goal_met"), " · ", sentenceWith("on_list", "n", figure(`${at}.points`, row.points))),
    row.points !== row.goal ? el("p", { class: "note" }, say("list_differs", {
      points: count(row.points), goal: count(row.goal) })) : "",
    row.learners_poor_uncovered !== undefined ? el("p", { class: "under" },
      `${word("ui", "poor_left")}: `, figure(`${at}.learners_poor_uncovered`,
        row.learners_poor_uncovered)) : "",
    row.pace !== null ? el("p", { class: "under" }, sentenceWith("pace", "n", figure(`${at}.pace`,
      row.pace, count(row.pace, 1)), { date: day(target.since) }), row.pace_needed !== null ? ["; ",
      ...sentenceWith("pace_needed", "n", figure(`${at}.pace_needed`, row.pace_needed,
        count(row.pace_needed, 1)))] : "") : "",
    state.atLast() && target.forecast ? outlook(target.forecast, at) : "",
    row.disputed ? el("p", { class: "under" }, sentenceWith("disputed", "n", figure(`${at}.disputed`,
      row.disputed))) : "",
    el("button", { type: "button", class: "small", "aria-pressed": String(only), onclick: () => {
      state.target = only ? null : target.name;
      state.changed();
      state.legend();
    } }, only ? word("ui", "all_points") : word("ui", "show_on_map")));
}

// When the target may be reached if the pace goes on; or why nobody can say.
function outlook(forecast, at) {
  if (forecast.reason) {
    return el("p", { class: "under" }, word("no_forecast", forecast.reason));
  }
  const date = (name) => (forecast[name] ? day(forecast[name]) : word("ui", "beyond_horizon"));
  return el("p", { class: "under" }, sentenceWith("forecast", "date", el("strong", {},
    date("date_median")), { low: date("date_low"), high: date("date_high") }),
  forecast.chance_by_deadline === null ? "" : [" ", ...sentenceWith("forecast_chance", "n",
    figure(`${at}.chance_by_deadline`, forecast.chance_by_deadline,
      percent(forecast.chance_by_deadline)))]);
}

function deadlineWords(row) {
  if (row.days_left === null) return "–";
  if (row.days_left > 0) return say("due_in", { n: count(row.days_left) });
  return row.days_left === 0 ? word("ui", "due_today") : say("overdue", { n: count(-row.days_left) });
}

function timeSection(state) {
  const { steps } = state.header.time;
  if (steps.length < 2) return "";
  const shown = el("output", { class: "when" });
  const tell = () => {
    shown.textContent = day(steps[state.step].day);
    slider.setAttribute("aria-valuetext", shown.textContent);
  };
  const slider = el("input", { type: "range", min: 0, max: steps.length - 1, step: 1,
    "aria-label": word("ui", "time_slider"), id: "time-slider", oninput: () => {
      state.step = Number(slider.value);
      tell();
      state.moved();
    } });
  slider.value = String(state.step);
  tell();
  return el("section", { class: "time" }, el("h2", {}, word("ui", "time"), shown), slider,
    el("div", { class: "ends" }, el("span", {}, day(steps[0].day)),
      el("span", {}, day(steps[steps.length - 1].day))),
    history(state), sinceChoice(state));
}

// From which date on changes are counted and marked.
function sinceChoice(state) {
  const { steps } = state.header.time;
  const choice = el("select", { id: "since", onchange: () => {
    state.since = Number(choice.value);
    state.on.changes = true;
    state.changed();
    state.legend();
  } }, steps.slice(0, -1).map((s, t) => el("option", { value: t }, day(s.day))));
  choice.value = String(state.since);
  return el("label", { class: "since under", for: "since" }, word("ui", "changes_since"), " ", choice);
}

// Points by status at every date, as stacked bars one above the other in time.
function history(state) {
  const { steps } = state.header.time, names = state.header.statuses;
  return el("div", { class: "history", "aria-hidden": "true" }, steps.map((step, t) => el("div", {
    class: "column", title: day(step.day), onclick: () => {
      state.step = t;
      state.changed();
    } }, names.slice().reverse().map((s) => {
    const part = el("i", { class: s });
    part.style.flexGrow = String(step.status[s].points);
    return part;
  }))));
}
