export type Box = { x: number; y: number; width: number; height: number };
type Look = { fill: string; stroke: string };

export const looks = {
  outside: { fill: "#f4f1ea", stroke: "#8a7f66" },
  app: { fill: "#dcebf7", stroke: "#33638d" },
  package: { fill: "#e6f2e1", stroke: "#4c7a3d" },
} satisfies Record<string, Look>;

export function box(at: Box, label: string, { fill, stroke }: Look): string {
  const { x, y, width, height } = at;
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${stroke}"/>`,
    text({ x: x + width / 2, y: y + height / 2 + 5 }, label),
  ].join("\n");
}

function text({ x, y }: { x: number; y: number }, label: string): string {
  const escaped = label.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" text-anchor="middle">${escaped}</text>`;
}

type Point = readonly [x: number, y: number];

/** From the bottom of one box to the top of another, or whatever two points; an arrow at its end, or at both. */
export function arrow([x, y]: Point, [toX, toY]: Point, { isBoth = false } = {}): string {
  // Down past other rows straight, and aside only above its end.
  const bend = Math.max(y, toY - 64);
  const from = toY > y ? bend : y;
  const middle = (from + toY) / 2;
  const straight = from === y ? "" : ` L ${x} ${from}`;
  const curve = `M ${x} ${y}${straight} C ${x} ${middle} ${toX} ${middle} ${toX} ${toY}`;
  const start = isBoth ? ' marker-start="url(#head)"' : "";
  return `<path d="${curve}" fill="none" stroke="#666"${start} marker-end="url(#head)"/>`;
}

export function document(size: { width: number; height: number }, title: string, parts: string[]): string {
  const { width, height } = size;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img">
<title>${title}</title>
<defs>
<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
<path d="M 0 0 L 8 4 L 0 8 z" fill="#666"/>
</marker>
</defs>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
