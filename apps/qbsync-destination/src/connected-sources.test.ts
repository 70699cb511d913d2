import { expect, test } from "vitest";
import { ConnectedSources } from "./connected-sources.ts";

function stage() {
  const lines: string[] = [];
  const warn = (text: string) => void lines.push(text);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it calls
  const log = { warn } as unknown as ConstructorParameters<typeof ConnectedSources>[0];
  const sources = new ConnectedSources(log);
  const connect = (peer: string, name: string, instanceId = "") => {
    sources.hello(peer, { name, instanceId });
    return sources.streaming(peer);
  };
  return { lines, connect };
}

test("two machines without a name at the same time are told of once, with what to do", () => {
  const { lines, connect } = stage();
  connect("10.0.0.1:4001", "");
  connect("[fd00::2]:4001", "");
  connect("[fd00::2]:4002", "");
  expect(lines).toEqual([
    expect.stringMatching(/^the sources at 10\.0\.0\.1 and \[fd00::2\] have no name: .*--source-name/),
  ]);
});

test("the same name twice is told of by that name", () => {
  const { lines, connect } = stage();
  connect("10.0.0.1:4001", "seedbox");
  connect("10.0.0.2:4001", "seedbox");
  expect(lines).toEqual([expect.stringContaining('are both called "seedbox"')]);
});

test("several connections of one source, other names, and one that comes back from elsewhere are fine", () => {
  const { lines, connect } = stage();
  const ends = [connect("10.0.0.1:4001", ""), connect("::ffff:10.0.0.1:4002", "")];
  connect("10.0.0.3:4001", "box");
  for (const end of ends) end();
  connect("10.0.0.2:4001", "");
  expect(lines).toEqual([]);
});

test("two on one machine are told apart where they say which process they are, as are the connections of one", () => {
  const { lines, connect } = stage();
  connect("10.0.0.1:4001", "", "a");
  connect("10.0.0.2:4001", "", "a");
  expect(lines).toEqual([]);
  connect("10.0.0.1:4002", "", "b");
  expect(lines).toHaveLength(1);
});
