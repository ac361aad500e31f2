// The plan: a slider that builds one site after the other, and the table of the first ones.

function planSection(state) {
  const { plan } = state.header;
  if (!plan) return el("section", { class: "plan" }, el("h2", {}, word("ui", "plan")),
    el("p", { class: "note" }, word("ui", "no_plan")));
  if (!plan.rows.length) return el("section", { class: "plan" }, el("h2", {}, word("ui", "plan")),
    el("p", { class: "note" }, word("ui", "empty_plan")));
  const bought = el("div", { class: "bought", "aria-live": "polite" });
  const slider = el("input", { type: "range", min: 0, max: plan.rows.length, step: 1,
    id: "plan-slider", "aria-label": word("ui", "plan_slider"), oninput: () => {
      state.built = Number(slider.value);
      fill();
      state.moved();
    } });
  const fill = () => {
    slider.value = String(state.built);
    slider.setAttribute("aria-valuetext", say("plan_first", { n: count(state.built) }));
    bought.replaceChildren(...boughtSoFar(state));
    for (const row of table.querySelectorAll("tr[data-rank]")) {
      row.classList.toggle("built", Number(row.dataset.rank) <= state.built);
    }
  };
  const table = planTable(state, (rank) => {
    state.built = rank;
    fill();
    state.moved();
  });
  fill();
  return el("section", { class: "plan" }, el("h2", {}, word("ui", "plan")),
    el("label", { for: "plan-slider", class: "under" }, word("ui", "plan_slider")), slider,
    el("div", { class: "ends" }, el("span", {}, count(0)), el("span", {}, count(plan.rows.length))),
    bought, table, el("p", { class: "note" }, word("ui", "plan_order")),
    state.atLast() ? "" : el("p", { class: "note" }, word("ui", "plan_at_last")));
}

function boughtSoFar(state) {
  const { plan } = state.header, row = plan.rows[state.built - 1];
  if (!row) return [el("p", { class: "note" }, word("ui", "plan_none"))];
  const { currency } = plan, at = `plan.so_far`;
  const out = [el("p", { class: "under" }, say("plan_first", { n: count(row.rank) })),
    el("div", { class: "tiles three" },
      el("div", { class: "tile" }, el("div", { class: "big" }, "+",
        figure(`${at}.cumulative_students`, row.cumulative_students)), el("div", { class: "what" },
        word("ui", "students"))),
      el("div", { class: "tile" }, el("div", { class: "big" }, "+",
        figure(`${at}.cumulative_points`, row.cumulative_points)), el("div", { class: "what" },
        word("ui", "points"))),
      el("div", { class: "tile" }, el("div", { class: "big money" },
        figure(`${at}.cumulative_cost`, row.cumulative_cost, money(row.cumulative_cost, ""),
          { title: `${count(row.cumulative_cost)} ${currency}` })),
      el("div", { class: "what" }, currency)))];
  out.push(el("p", { class: "note" }, say("plan_one", { n: count(row.rank) }), ": +",
    figure("plan.last.students_gained", row.students_gained), ` ${word("ui", "students")}, +`,
    figure("plan.last.points_gained", row.points_gained), ` ${word("ui", "points")}, `,
    figure("plan.last.cost_total", row.cost_total, money(row.cost_total, currency)), "."));
  if (row.bound_share !== null && row.bound_share !== undefined) {
    out.push(el("p", { class: "note" }, sentenceWith("bound", "share", figure(`${at}.bound_share`,
      row.bound_share, percent(row.bound_share, 1)))));
  }
  return out;
}

function planTable(state, choose) {
  const { plan } = state.header, shown = plan.rows.slice(0, 10), ui = (n) => word("ui", n);
  return el("table", { class: "ten" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "#"), el("th", { scope: "col" }, ui("site")),
      el("th", { scope: "col", class: "n" }, ui("students_gained")),
      el("th", { scope: "col", class: "n" }, ui("cost")),
      el("th", { scope: "col", class: "n" }, say("per_million", { currency: plan.currency })))),
    el("tbody", {}, shown.map((row) => {
      const at = `plan.${row.rank}`;
      return el("tr", { "data-rank": row.rank },
        el("td", {}, figure(`${at}.rank`, row.rank)),
        el("td", {}, el("button", { type: "button", class: "link", onclick: () => {
          choose(row.rank);
          state.show({ kind: "spot", i: row.spot });
        } }, el("code", {}, row.site_id)),
        el("span", { class: "soft" }, [word("intervention", row.intervention),
          word("place", row.place)].filter(Boolean).join(", "))),
        el("td", { class: "n" }, figure(`${at}.students_gained`, row.students_gained)),
        el("td", { class: "n" }, figure(`${at}.cost_total`, row.cost_total, money(row.cost_total, ""),
          { title: `${count(row.cost_total)} ${plan.currency}` })),
        el("td", { class: "n" }, figure(`${at}.students_per_cost`, row.students_per_cost,
          significant(row.students_per_cost))));
    })));
}

// Three figures that mean something, whatever the size of the number.
function significant(value) {
  if (value === null || value === undefined) return "∞";
  return new Intl.NumberFormat(speech.locale[speech.language], { maximumSignificantDigits: 3 }).format(value);
}
