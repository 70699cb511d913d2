import { expect, test } from "vitest";
import { type Notice, type NoticeKind, Outbox } from "./outbox.ts";

const notice = (kind: NoticeKind, sequence: string, message = ""): Notice => ({
  kind,
  topic: "t",
  sequence,
  message,
});

test("of each card only the newest waits", () => {
  const outbox = new Outbox();
  outbox.add(notice("progress", "a", "25%"));
  outbox.add(notice("progress", "b", "10%"));
  outbox.add(notice("progress", "a", "50%"));
  expect(outbox.list.map(({ message }) => message)).toEqual(["10%", "50%"]);
});

test("what matters goes first, whatever came before it; a card is cleared after what makes it stale", () => {
  const outbox = new Outbox();
  outbox.add(notice("progress", "b"));
  outbox.add(notice("clear", "a"));
  outbox.add(notice("added", "c-added"));
  outbox.add(notice("complete", "a-done"));
  outbox.add(notice("error", "b-error"));
  const order: NoticeKind[] = [];
  for (let next = outbox.next(); next !== undefined; next = outbox.next()) {
    order.push(next.kind);
    outbox.settle(next);
  }
  expect(order).toEqual(["complete", "error", "added", "clear", "progress"]);
});

test("what became newer while the older was on its way is still sent", () => {
  const outbox = new Outbox();
  outbox.add(notice("progress", "a", "25%"));
  const onItsWay = outbox.next();
  outbox.add(notice("progress", "a", "50%"));
  if (onItsWay !== undefined) outbox.settle(onItsWay);
  expect(outbox.list.map(({ message }) => message)).toEqual(["50%"]);
});
