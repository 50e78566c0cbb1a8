/* Lines of equal value through a map, by marching squares with linear interpolation.
   values: Uint8Array [h * w], row by row, cell centres at whole numbers. Calls line(x0, y0, x1, y1)
   for each piece, in cells. What touches the border is closed along it. */
function contour(values, width, height, level, line) {
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? -1 : values[y * width + x]);
  const cross = (a, b) => (level - a) / (b - a);
  const inside = (x) => Math.min(width - 0.5, Math.max(-0.5, x));
  const within = (y) => Math.min(height - 0.5, Math.max(-0.5, y));
  const draw = (p, q) => line(inside(p[0]), within(p[1]), inside(q[0]), within(q[1]));
  for (let y = -1; y < height; y += 1) {
    for (let x = -1; x < width; x += 1) {
      const a = at(x, y), b = at(x + 1, y), c = at(x + 1, y + 1), d = at(x, y + 1);
      const kind = (a >= level) | ((b >= level) << 1) | ((c >= level) << 2) | ((d >= level) << 3);
      if (kind === 0 || kind === 15) continue;
      const top = () => [x + cross(a, b), y], low = () => [x + cross(d, c), y + 1];
      const left = () => [x, y + cross(a, d)], right = () => [x + 1, y + cross(b, c)];
      const pieces = {
        1: [left, top], 2: [top, right], 3: [left, right], 4: [right, low], 5: [left, top, right, low],
        6: [top, low], 7: [left, low], 8: [low, left], 9: [low, top], 10: [top, right, low, left],
        11: [low, right], 12: [right, left], 13: [right, top], 14: [top, left],
      }[kind];
      for (let i = 0; i < pieces.length; i += 2) draw(pieces[i](), pieces[i + 1]());
    }
  }
}
