// Words, numbers and dates in the language of the reader.

const speech = { language: "vi", words: {}, locale: { vi: "vi-VN", en: "en-GB" }, formats: {} };

function word(group, name) {
  const known = speech.words[group] && speech.words[group][name];
  return known ? known[speech.language] : name;
}

// Values are put in as they are: braces in a value are never read as places.
function say(name, values) {
  return word("ui", name).split("{").map((part, i) => {
    if (i === 0) return part;
    const end = part.indexOf("}");
    return String(values[part.slice(0, end)]) + part.slice(end + 1);
  }).join("");
}

function both(text) {
  return text[speech.language] || text.en || text.vi || "";
}

function count(value, decimals) {
  if (value === "withheld" || value === -1) return say("withheld", { n: speech.withheldBelow });
  if (value === null || value === undefined || Number.isNaN(value)) return word("ui", "not_known");
  const key = speech.language + (decimals === undefined ? "" : decimals);
  speech.formats[key] = speech.formats[key] || new Intl.NumberFormat(
    speech.locale[speech.language], decimals === undefined ? { maximumFractionDigits: 3 }
      : { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return speech.formats[key].format(value).replace("-", "\u2212");
}

function percent(share, decimals) {
  return new Intl.NumberFormat(speech.locale[speech.language], {
    style: "percent", maximumFractionDigits: decimals || 0,
  }).format(share);
}

function day(text) {
  if (!text) return word("ui", "not_known");
  const [y, m, d] = text.split("-").map(Number);
  return new Intl.DateTimeFormat(speech.locale[speech.language], {
    day: "numeric", month: speech.language === "vi" ? "numeric" : "short", year: "numeric",
    timeZone: "UTC",
  }).format(new Date(Date.UTC(y, m - 1, d)));
}

function dayOfNumber(days) {
  return day(new Date(days * 864e5).toISOString().slice(0, 10));
}

function length(metres) {
  if (Number.isNaN(metres)) return word("ui", "not_known");
  return metres < 1000 ? `${count(metres, 0)} ${word("ui", "m")}`
    : `${count(metres / 1000, metres < 10000 ? 1 : 0)} ${word("ui", "km")}`;
}

// Large sums are read in millions or billions; the full figure stands in the title.
function money(value, currency) {
  if (value === null || value === undefined || Number.isNaN(value)) return word("ui", "not_known");
  const steps = [[1e9, "billion"], [1e6, "million"]];
  for (const [size, name] of steps) {
    if (Math.abs(value) >= size) {
      const decimals = value / size >= 100 ? 0 : value / size >= 10 ? 1 : 2;
      return `${count(value / size, decimals)} ${word("ui", name)} ${currency}`;
    }
  }
  return `${count(value, 0)} ${currency}`;
}

// Text for searching: no accents, no case, d for đ.
function folded(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐð]/g, "d").toLowerCase();
}

// An element; children are elements or texts, and a text stays a text.
function el(tag, attributes, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") out.className = value;
    else if (name.startsWith("on")) out.addEventListener(name.slice(2), value);
    else out.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== "") out.append(child);
  }
  return out;
}

// A figure: its name and its bare value can be read back by a program.
function figure(name, value, shown, attributes) {
  return el("span", { "data-figure": name, "data-value": value === null ? "" : String(value),
    class: "figure", ...attributes }, shown === undefined ? count(value) : shown);
}
