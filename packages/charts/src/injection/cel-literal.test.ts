import { expect, test } from "vitest";
import { parseCelLiteral } from "./cel-literal.ts";

test("a literal whose parts are wrapped in dyn() is the value they make", () => {
  const literal = String.raw`dyn({"a": dyn([dyn(1), dyn(true)]), "dyn(b)": dyn("(dyn(\")")})`;
  expect(parseCelLiteral(literal)).toEqual({ a: [1, true], "dyn(b)": '(dyn(")' });
});

test("anything but literals is refused", () => {
  expect(() => parseCelLiteral("dyn(object.spec)")).toThrow(SyntaxError);
});
