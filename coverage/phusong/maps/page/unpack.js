// From base64 of gzip to a header and typed columns (the counterpart of pack.py).

async function unpack(element) {
  const packed = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const text = new TextDecoder("utf-8", { fatal: true });
  const header = JSON.parse(text.decode(bytes.subarray(4, 4 + size)));
  return { header, read: reader(bytes.subarray(4 + size), text) };
}

function reader(bytes, text) {
  const cut = (spec) => bytes.subarray(spec.at, spec.at + spec.bytes);

  // Low seven bits first; a set eighth bit says that more follow.
  function varints(raw, n) {
    const out = new Float64Array(n);
    let at = 0;
    for (let i = 0; i < n; i++) {
      let value = 0, factor = 1, byte;
      do {
        byte = raw[at++];
        value += (byte & 127) * factor;
        factor *= 128;
      } while (byte > 127);
      out[i] = value;
    }
    return out;
  }

  function running(raw, n, scale) {
    const out = varints(raw, n);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const u = out[i];
      sum += u % 2 ? -(u + 1) / 2 : u / 2;
      out[i] = sum / scale;
    }
    return out;
  }

  function planes(raw, width) {
    const n = raw.length / width;
    const out = new Int32Array(n);
    for (let k = 0; k < width; k++) {
      for (let i = 0; i < n; i++) out[i] |= raw[k * n + i] << (8 * k);
    }
    return out;
  }

  const kinds = {
    raw: (s) => cut(s),
    json: (s) => JSON.parse(text.decode(cut(s))),
    f64: (s) => new Float64Array(cut(s).slice().buffer),
    i32: (s) => {
      const whole = planes(cut(s), 4);
      const scale = 10 ** s.decimals;
      return Float64Array.from(whole, (v) => (v === -(2 ** 31) ? NaN : v / scale));
    },
    u8: (s) => cut(s),
    u16: (s) => planes(cut(s), 2),
    varint: (s) => varints(cut(s), s.n),
    delta: (s) => running(cut(s), s.n, 1),
    lonlat: (s) => {
      const raw = cut(s), scale = 10 ** s.decimals;
      return {
        lon: running(raw.subarray(0, s.split), s.n, scale),
        lat: running(raw.subarray(s.split), s.n, scale),
      };
    },
  };

  // A column gives back one value per row: a text, a number (NaN = not known).
  return function read(spec) {
    if (!spec) return null;
    const values = kinds[spec.as](spec);
    if (spec.words) return { codes: values, words: spec.words, of: (i) => spec.words[values[i]] };
    if (spec.as === "lonlat" || spec.as === "raw") return values;
    return { values, of: (i) => values[i] };
  };
}
