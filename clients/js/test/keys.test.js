// When the keys are fetched, which ones count, and what happens while they cannot be fetched.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { generateKeyPair, exportJWK } from "jose";
import { assemble } from "../src/assemble.js";
import { Clock } from "./kit/clock.js";
import { forge, macWith } from "./kit/forging.js";
import { makeKey, sendJson, startIssuer } from "./kit/issuer.js";

const INVALID = { code: "INVALID_TOKEN" };
const UNAVAILABLE = { code: "SERVICE_UNAVAILABLE", status: 503 };
const MINUTE = 60;
const HOUR = 3600;

/** @type {Clock} */
let clock;
/** @type {import("./kit/issuer.js").Issuer} */
let issuer;
/** @type {import("../src/node.js").Latchkey} */
let auth;
/** @type {string[]} */
let log;

beforeEach(async () => {
  clock = new Clock();
  issuer = await startIssuer(clock);
  log = [];
  auth = assemble({ issuer: issuer.url }, clock.read, (line) => log.push(line));
});
afterEach(() => issuer.close());

const fails = () => (issuer.answerJwks = (_, response) => sendJson(response, {}, 503));
const works = () =>
  (issuer.answerJwks = (_, response) => sendJson(response, { keys: issuer.keys.map(({ jwk }) => jwk) }));
/** A new token each time, so that none is remembered. @param {import("./kit/issuer.js").SigningKey} [key] */
const verify = async (key) => (await auth.verify(await issuer.sign({ jti: crypto.randomUUID() }, {}, key))).id;
/** @param {Record<string, unknown>[]} jwks */
const lists = (...jwks) => (issuer.answerJwks = (_, response) => sendJson(response, { keys: jwks }));

test("nothing is fetched before the first token, and one fetch serves many at once", async () => {
  assert.equal(issuer.fetches, 0);
  await Promise.all(Array.from({ length: 50 }, () => verify()));
  assert.equal(issuer.fetches, 1);
});

test("keys are fresh for ten minutes", async () => {
  await verify();
  clock.advance(10 * MINUTE - 1);
  await verify();
  assert.equal(issuer.fetches, 1);
  clock.advance(1);
  await Promise.all([verify(), verify(), verify()]);
  assert.equal(issuer.fetches, 2);
});

test("keys are kept for 24 hours while fetching fails", async () => {
  await verify();
  fails();
  for (let hour = 1; hour < 24; hour++) {
    clock.advance(HOUR);
    assert.equal(await verify(), 7);
  }
  clock.advance(HOUR);
  await assert.rejects(verify(), UNAVAILABLE);
  works();
  clock.advance(30);
  assert.equal(await verify(), 7);
});

test("while fetching fails, it is tried every 30 seconds", async () => {
  await verify();
  fails();
  clock.advance(10 * MINUTE);
  for (let second = 0; second < 60; second++) {
    await verify();
    clock.advance(1);
  }
  assert.equal(issuer.fetches, 3);
});

test("a server that hangs delays one request, not all until it answers again", async () => {
  await verify();
  /** @type {(value?: unknown) => void} */
  let answer = () => {};
  fails();
  clock.advance(10 * MINUTE);
  await verify();
  issuer.answerJwks = (_, response) => void (answer = () => response.destroy());
  clock.advance(30);
  await verify();
  await verify();
  answer();
});

test("a key that is listed no longer is refused, for remembered tokens too", async () => {
  const [old, next] = [issuer.keys[0], await makeKey()];
  const token = await issuer.sign({ exp: clock.seconds + HOUR });
  await auth.verify(token);
  issuer.keys = [next];
  await auth.verify(token);
  clock.advance(10 * MINUTE);
  await assert.rejects(auth.verify(token), INVALID);
  await assert.rejects(verify(old), INVALID);
  assert.equal(await verify(next), 7);
});

test("a key replaced under the same kid does not honour remembered tokens", async () => {
  const token = await issuer.sign({ exp: clock.seconds + HOUR });
  await auth.verify(token);
  const [old, next] = [issuer.keys[0], await makeKey()];
  lists({ ...next.jwk, kid: old?.kid });
  clock.advance(10 * MINUTE);
  await assert.rejects(auth.verify(token), INVALID);
});

test("a new key is fetched when a token names it", async () => {
  await verify();
  const next = await makeKey();
  issuer.keys.push(next);
  clock.advance(30);
  assert.deepEqual([await verify(next), await verify(), issuer.fetches], [7, 7, 2]);
});

test("a thousand unknown kids at once cause one fetch, and the known keys stay", async () => {
  await verify();
  clock.advance(30);
  const unknown = async () => auth.verify(await issuer.sign({}, { kid: crypto.randomUUID() }));
  const results = await Promise.allSettled(Array.from({ length: 1000 }, unknown));
  assert.ok(results.every((result) => result.status === "rejected" && result.reason.code === "INVALID_TOKEN"));
  assert.equal(issuer.fetches, 2);
  assert.equal(await verify(), 7);
  assert.equal(issuer.fetches, 2);
});

test("unknown kids cause one fetch in 30 seconds, failed ones too", async () => {
  await verify();
  fails();
  for (let second = 0; second < 90; second++) {
    await assert.rejects(auth.verify(await issuer.sign({}, { kid: `unknown ${second}` })), INVALID);
    clock.advance(1);
  }
  assert.equal(issuer.fetches, 3, "at 30 and 60 seconds");
  assert.equal(await verify(), 7);
});

test("a token without kid causes no fetch", async () => {
  await verify();
  clock.advance(30);
  await assert.rejects(auth.verify(await issuer.sign({}, { kid: undefined })), INVALID);
  assert.equal(issuer.fetches, 1);
});

test("without keys: 503, the log says what to do, and new keys are noticed within a second or two", async () => {
  const listed = issuer.keys;
  issuer.keys = [];
  const signed = await issuer.sign({}, {}, listed[0]);
  const ofOlderLatchkey = await forge({ alg: "HS256", typ: "JWT" }, issuer.claims(), macWith("a secret"));
  for (const token of [signed, ofOlderLatchkey]) await assert.rejects(auth.verify(token), UNAVAILABLE);
  assert.match(log.join(), /latchkey keys init/);
  issuer.keys = listed;
  clock.advance(1);
  assert.equal((await auth.verify(signed)).id, 7);
  await assert.rejects(auth.verify(ofOlderLatchkey), INVALID);
});

test("while Latchkey cannot be reached: 503, one try a second", async () => {
  fails();
  await Promise.allSettled(Array.from({ length: 100 }, () => verify()));
  await assert.rejects(verify(), UNAVAILABLE);
  assert.equal(issuer.fetches, 1);
  assert.match(log.join(), /cannot fetch the keys from http.*503/);
  works();
  await assert.rejects(verify(), UNAVAILABLE);
  clock.advance(1);
  assert.equal(await verify(), 7);
});

test("what is no token is refused without keys", async () => {
  await assert.rejects(auth.verify("null"), INVALID);
  assert.equal(issuer.fetches, 0);
});

/** @type {Record<string, import("./kit/issuer.js").Answer>} */
const BAD_ANSWERS = {
  "a list": (_, response) => sendJson(response, []),
  null: (_, response) => sendJson(response, null),
  "an object instead of a list": (_, response) => sendJson(response, { keys: {} }),
  "a page": (_, response) => response.end("<html>"),
  nothing: (_, response) => response.end(),
  "an error with keys": (_, response) => sendJson(response, { keys: issuer.keys.map(({ jwk }) => jwk) }, 500),
  "no content": (_, response) => response.writeHead(204).end(),
  "a redirect": (_, response) => response.writeHead(302, { Location: `${issuer.url}/elsewhere` }).end("{}"),
  "a permanent redirect": (_, response) => response.writeHead(308, { Location: `${issuer.url}/elsewhere` }).end(),
  "a broken connection": (_, response) => response.destroy(),
  "half an answer": (_, response) => {
    response.writeHead(200, { "Content-Length": 1000 });
    response.write('{"keys":[', () => response.destroy());
  },
  "10 MB": (_, response) => sendJson(response, { keys: issuer.keys.map(({ jwk }) => jwk), filler: "x".repeat(1e7) }),
};

for (const [name, answer] of Object.entries(BAD_ANSWERS)) {
  test(`a JWKS that is ${name}: no keys at first, the known ones later`, async () => {
    issuer.answerJwks = answer;
    await assert.rejects(verify(), UNAVAILABLE);
    works();
    clock.advance(1);
    assert.equal(await verify(), 7);
    issuer.answerJwks = answer;
    clock.advance(10 * MINUTE);
    assert.equal(await verify(), 7);
    assert.ok(!issuer.requests.some((line) => line.includes("elsewhere")), "no redirect is followed");
  });
}

test("no more than 64 kB of an answer are read", async () => {
  let sent = 0;
  const closed = new Promise((resolve) => {
    issuer.answerJwks = (_, response) => {
      response.on("close", resolve);
      response.on("error", () => {});
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536))) sent++;
        sent++;
      };
      response.on("drain", more);
      more();
    };
  });
  await assert.rejects(verify(), UNAVAILABLE);
  await closed;
  assert.ok(sent < 200, `${sent} parts of 64 kB were taken`);
});

test("an error with an endless page is not read", async () => {
  const closed = new Promise((resolve) => {
    issuer.answerJwks = (_, response) => {
      response.on("close", resolve);
      response.writeHead(500).write("x");
    };
  });
  await assert.rejects(verify(), UNAVAILABLE);
  await closed;
});

for (const [name, begin] of Object.entries({
  "answers nothing": () => {},
  "sends a byte at a time": (/** @type {import("node:http").ServerResponse} */ response) => {
    const timer = setInterval(() => response.write(" "), 100);
    response.on("close", () => clearInterval(timer));
  },
})) {
  test(`a server that ${name} is given up after 5 seconds`, async () => {
    issuer.answerJwks = (_, response) => begin(response);
    const began = performance.now();
    await assert.rejects(verify(), UNAVAILABLE);
    const seconds = (performance.now() - began) / 1000;
    assert.ok(seconds > 4.5 && seconds < 15, `${seconds} s`);
  });
}

test("keys that cannot verify are skipped, the good ones beside them count", async () => {
  const good = issuer.keys[0] ?? assert.fail();
  const other = await makeKey();
  const rsa = await exportJWK((await generateKeyPair("RS256", { extractable: true })).publicKey);
  const bad = [
    ...[null, 7, "key", [], {}],
    { ...other.jwk, kid: "private", d: other.privateJwk.d },
    { kty: "oct", k: "c2VjcmV0", kid: "symmetric", alg: "HS256" },
    { kty: "oct", k: "c2VjcmV0", kid: "symmetric ES256", alg: "ES256" },
    { ...other.jwk, kid: "also symmetric", k: "c2VjcmV0" },
    { kty: "XYZ", kid: "unknown kty", alg: "ES256" },
    { kty: ["EC"], kid: "kty as list", alg: "ES256" },
    { ...other.jwk, kid: "no alg", alg: undefined },
    { ...other.jwk, kid: "alg none", alg: "none" },
    { ...other.jwk, kid: "alg of a MAC", alg: "HS256" },
    { ...other.jwk, kid: "alg of another curve", alg: "ES384" },
    { ...other.jwk, kid: "alg of another kind", alg: "EdDSA" },
    { ...other.jwk, kid: "for encryption", use: "enc" },
    { ...other.jwk, kid: "not on the curve", x: other.jwk.y },
    { ...other.jwk, kid: "no x", x: undefined },
    { ...other.jwk, kid: "x as number", x: 7 },
    { ...other.jwk, kid: "" },
    { ...other.jwk, kid: 7 },
    { ...rsa, kid: "RSA", alg: "RS256" },
  ];
  lists(.../** @type {any} */ (bad), good.jwk);
  assert.equal(await verify(), 7);
  for (const jwk of bad) {
    const token = issuer.sign({}, { kid: /** @type {any} */ (jwk)?.kid ?? "x" }, other);
    await assert.rejects(auth.verify(await token), INVALID, JSON.stringify(jwk));
  }
});

test("of two keys with one kid the first counts", async () => {
  const [good, other] = [issuer.keys[0] ?? assert.fail(), await makeKey()];
  lists(good.jwk, { ...other.jwk, kid: good.kid });
  assert.equal(await verify(), 7);
  await assert.rejects(auth.verify(await issuer.sign({}, { kid: good.kid }, other)), INVALID);
});

test("jwksUrl is an inner address; the issuer is still compared", async () => {
  const inner = { issuer: "https://accounts.example", jwksUrl: `${issuer.url}/.well-known/jwks.json` };
  const behind = assemble(inner, clock.read, (line) => log.push(line));
  const claims = { iss: "https://accounts.example", aud: "https://accounts.example" };
  assert.equal((await behind.verify(await issuer.sign(claims))).id, 7);
  await assert.rejects(behind.verify(await issuer.sign()), INVALID);
});
