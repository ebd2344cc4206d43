// Options that are wrong stop the app at its start: a misspelt one must not leave a route open.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latchkey } from "../src/node.js";
import { readOptions } from "../src/options.js";

const issuer = "https://accounts.example";
const inner = { issuer, jwksUrl: "http://latchkey:3000/.well-known/jwks.json" };

/** @type {[unknown, RegExp][]} */
const WRONG = [
  [undefined, /needs issuer/],
  [{}, /needs issuer/],
  [{ issuer: undefined }, /needs issuer/],
  [{ issuer: "" }, /issuer of latchkey\(\) cannot be ""/],
  [{ issuer: 7 }, /issuer of latchkey\(\) cannot be 7/],
  [{ issuer: "accounts.example" }, /must be an https URL/],
  [{ issuer: "http://accounts.example" }, /must be an https URL.*jwksUrl and allowHttp/],
  [{ issuer: "http://localhost.evil.example" }, /must be an https URL/],
  [{ issuer: "http://127.0.0.1.evil.example" }, /must be an https URL/],
  [{ issuer: "ftp://localhost" }, /must be an https URL/],
  [{ issuer: "file:///etc" }, /must be an https URL/],
  [inner, /must be an https URL/],
  [{ issuer, allowHttp: true }, /allowHttp is for jwksUrl/],
  [{ issuer: "http://accounts.example", allowHttp: true }, /allowHttp is for jwksUrl/],
  [{ ...inner, allowHttp: "true" }, /allowHttp of latchkey\(\) cannot be "true"/],
  [{ issuer, orgins: [] }, /has no option orgins.*origins/],
  [{ issuer, toString: "x" }, /has no option toString/],
  [{ issuer, origins: "https://app.example" }, /origins of/],
  [{ issuer, origins: ["https://app.example/"] }, /origins of/],
  [{ issuer, origins: ["app.example"] }, /origins of/],
  [{ issuer, origins: ["https://*.example"] }, /origins of/],
  [{ issuer, origins: ["null"] }, /origins of/],
  [{ issuer, audience: [] }, /audience of/],
  [{ issuer, cookieName: "" }, /cookieName of/],
  [{ issuer, whenStale: "reject", apiKey: "lk_x" }, /whenStale of/],
  [{ issuer, whenStale: "refuse" }, /whenStale: "refuse" needs apiKey/],
  [{ issuer, apiKey: "" }, /apiKey of/],
];
for (const [options, message] of WRONG) {
  test(`refused: ${JSON.stringify(options)}`, () => {
    assert.throws(() => latchkey(/** @type {any} */ (options)), { name: "TypeError", message });
  });
}

test("options may be undefined, as those of an environment are", () => {
  const { audience, apiKey, cookieName, origins } = readOptions({ issuer, audience: undefined, apiKey: undefined });
  assert.deepEqual([audience, apiKey, cookieName, [...origins]], [issuer, undefined, "accessToken", []]);
});

/** @type {[import("../src/node.js").Options, string, string][]} */
const ADDRESSES = [
  [{ issuer }, `${issuer}/.well-known/jwks.json`, `${issuer}/revocations`],
  [{ issuer: `${issuer}/` }, `${issuer}/.well-known/jwks.json`, `${issuer}/revocations`],
  [{ issuer: `${issuer}/a/b` }, `${issuer}/a/b/.well-known/jwks.json`, `${issuer}/a/b/revocations`],
  [
    { issuer: "http://localhost:3000" },
    "http://localhost:3000/.well-known/jwks.json",
    "http://localhost:3000/revocations",
  ],
  [{ issuer: "http://[::1]:3000" }, "http://[::1]:3000/.well-known/jwks.json", "http://[::1]:3000/revocations"],
  [{ ...inner, allowHttp: true }, inner.jwksUrl, "http://latchkey:3000/revocations"],
];
for (const [options, jwks, revocations] of ADDRESSES) {
  test(`the addresses of ${JSON.stringify(options)}`, () => {
    const { jwksUrl, revocationsUrl } = readOptions(options);
    assert.deepEqual([jwksUrl.href, revocationsUrl.href], [jwks, revocations]);
  });
}

/** @type {any[]} */
const WRONG_REQUIREMENTS = [
  ...[{ roles: "admin" }, { role: undefined }, { role: "" }, { role: ["admin"] }, { role: null }],
  ...[{ maxAge: "300" }, { maxAge: NaN }, { maxAge: -1 }, { maxAge: undefined }, { maxAge: Infinity }],
  ...[{ amr: "mfa" }, { amr: [] }, { amr: undefined }, { amr: [7] }, { maxage: 300 }, "admin", ["admin"]],
];
for (const framework of /** @type {const} */ (["express", "fastify", "hono"])) {
  test(`${framework}: wrong requirements of a route`, () => {
    const auth = latchkey({ issuer });
    for (const wrong of WRONG_REQUIREMENTS) {
      assert.throws(() => auth[framework](wrong), TypeError, JSON.stringify(wrong));
    }
    for (const right of [undefined, {}, { role: "admin" }, { maxAge: 0 }, { amr: ["mfa"] }]) auth[framework](right);
  });
}
