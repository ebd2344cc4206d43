import assert from "node:assert/strict";
import { test } from "node:test";
import { makeLog } from "../src/log.js";
import { Clock } from "./kit/clock.js";

test("a line is written once a minute, another one at once", () => {
  const clock = new Clock();
  /** @type {string[]} */
  const lines = [];
  const log = makeLog(clock.read, (line) => lines.push(line));
  log("a");
  clock.advance(59);
  log("a");
  log("b");
  assert.deepEqual(lines, ["latchkey-client: a", "latchkey-client: b"]);
  clock.advance(1);
  log("a");
  assert.equal(lines.length, 3);
});

test("a hundred lines are remembered, so that strangers who cause others fill no memory", () => {
  const lines = new Set();
  let repeated = 0;
  const log = makeLog(new Clock().read, (line) => (lines.has(line) ? repeated++ : lines.add(line)));
  for (let round = 0; round < 2; round++) for (let line = 0; line < 101; line++) log(`line ${line}`);
  assert.equal(lines.size, 101);
  assert.ok(repeated > 0, "forgotten lines are written again");
});
