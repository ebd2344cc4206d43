import assert from "node:assert/strict";
import { test } from "node:test";
import { Remembered } from "../src/remembered.js";

test("the oldest entry makes room", () => {
  const remembered = new Remembered(2);
  remembered.set("a", 1);
  remembered.set("b", 2);
  remembered.set("a", 3);
  assert.equal(remembered.get("b"), 2);
  remembered.set("c", 4);
  assert.deepEqual(
    [remembered.get("a"), remembered.get("b"), remembered.get("c"), remembered.size],
    [3, undefined, 4, 2],
  );
});
