/* The points of the map: unpacked into typed arrays, found by place, drawn into pixels. No DOM. */

/* What cxr/tabs/atlas/points.py packs. */
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const count = header.count;
  let at = 4 + length;
  const take = (Kind, size) => {
    const part = new Kind(buffer, at, size);
    at += part.byteLength;
    return part;
  };
  const places = take(Uint16Array, 2 * count);
  const x = new Float32Array(count), y = new Float32Array(count);
  for (let i = 0; i < count; i += 1) { x[i] = places[2 * i] / 65535; y[i] = places[2 * i + 1] / 65535; }
  const present = take(Uint32Array, count), uncertain = take(Uint32Array, count);
  const sex = take(Uint8Array, count), view = take(Uint8Array, count), tier = take(Uint8Array, count);
  return { ...header, x, y, present, uncertain, sex, view, tier };
}

/* Points sorted into square cells, so that what lies under the pointer is found at once. */
function grid(x, y, side = 96) {
  const count = x.length, cell = new Uint32Array(count), start = new Uint32Array(side * side + 1);
  const of = (value) => Math.min(side - 1, Math.max(0, Math.floor(value * side)));
  for (let i = 0; i < count; i += 1) { cell[i] = of(y[i]) * side + of(x[i]); start[cell[i] + 1] += 1; }
  for (let i = 0; i < side * side; i += 1) start[i + 1] += start[i];
  const next = start.slice(), order = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) order[next[cell[i]]++] = i;
  /* The nearest point within a distance (in map units); -1 for none. */
  return function nearest(px, py, reach) {
    let best = -1, least = reach * reach;
    for (let row = of(py - reach); row <= of(py + reach); row += 1) {
      for (let column = of(px - reach); column <= of(px + reach); column += 1) {
        const one = row * side + column;
        for (let k = start[one]; k < start[one + 1]; k += 1) {
          const i = order[k], away = (x[i] - px) ** 2 + (y[i] - py) ** 2;
          if (away <= least) { least = away; best = i; }
        }
      }
    }
    return best;
  };
}

/* Draws points into 32-bit pixels. group: the color of each point, an index into colors; groups of
   a higher index are drawn over those of a lower one. frame: width, height, scale and offset. */
function paint(pixels, { width, height, scale, left, top, radius }, x, y, ranked, group, colors) {
  pixels.fill(0);
  const spans = [];
  for (let row = -radius; row <= radius; row += 1) spans.push(Math.floor(Math.sqrt((radius + 0.4) ** 2 - row * row)));
  for (let k = 0; k < ranked.length; k += 1) {
    const i = ranked[k];
    const cx = Math.round(x[i] * scale + left), cy = Math.round(y[i] * scale + top);
    if (cx < -radius || cy < -radius || cx >= width + radius || cy >= height + radius) continue;
    const color = colors[group[i]];
    for (let row = Math.max(0, cy - radius); row <= Math.min(height - 1, cy + radius); row += 1) {
      const half = spans[row - cy + radius];
      const from = row * width + Math.max(0, cx - half), to = row * width + Math.min(width - 1, cx + half);
      for (let at = from; at <= to; at += 1) pixels[at] = color;
    }
  }
}

/* Rows by their group, the lowest first: a counting sort. */
function rankedBy(group, groups) {
  const start = new Uint32Array(groups + 1), order = new Uint32Array(group.length);
  for (const one of group) start[one + 1] += 1;
  for (let i = 0; i < groups; i += 1) start[i + 1] += start[i];
  for (let i = 0; i < group.length; i += 1) order[start[group[i]]++] = i;
  return order;
}

/* Rows inside a polygon of map coordinates [[x, y], ...]. */
function inside(x, y, polygon) {
  const xs = polygon.map((one) => one[0]), ys = polygon.map((one) => one[1]);
  const box = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found = [];
  for (let i = 0; i < x.length; i += 1) {
    if (x[i] < box[0] || x[i] > box[1] || y[i] < box[2] || y[i] > box[3]) continue;
    let within = false;
    for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
      if ((ys[a] > y[i]) !== (ys[b] > y[i]) && x[i] < ((xs[b] - xs[a]) * (y[i] - ys[a])) / (ys[b] - ys[a]) + xs[a]) within = !within;
    }
    if (within) found.push(i);
  }
  return found;
}
