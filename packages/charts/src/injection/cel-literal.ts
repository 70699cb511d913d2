/**
 * The value that an expression of the Common Expression Language stands for, where it is made of literals alone, each
 * wrapped in `dyn()` as the chart sidecar-injector writes them.
 *
 * @throws SyntaxError for anything else
 */
export function parseCelLiteral(expression: string): unknown {
  const withoutDyn = expression.replaceAll(/"(?:[^"\\]|\\.)*"|dyn\(|\)/g, (token) =>
    token.startsWith('"') ? token : "",
  );
  return JSON.parse(withoutDyn);
}
