// Which tokens `verify` accepts, and what it returns.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { exportSPKI, importJWK } from "jose";
import { assemble } from "../src/assemble.js";
import { Clock } from "./kit/clock.js";
import { forge, macWith, signerWith } from "./kit/forging.js";
import { makeKey, SESSION, startIssuer } from "./kit/issuer.js";

const clock = new Clock();
/** @type {import("./kit/issuer.js").Issuer} */
let issuer;
/** @type {import("../src/node.js").Latchkey} */
let auth;
/** @type {string[]} */
let log;

before(async () => void (issuer = await startIssuer(clock, [await makeKey(), await makeKey("EdDSA")])));
after(() => issuer.close());
beforeEach(() => {
  log = [];
  auth = assemble({ issuer: issuer.url }, clock.read, (line) => log.push(line));
});

/** @param {string} token @param {string} [code] */
const refused = (token, code = "INVALID_TOKEN") =>
  assert.rejects(auth.verify(token), {
    name: "LatchkeyError",
    code,
    status: code === "SERVICE_UNAVAILABLE" ? 503 : 401,
  });

/** The header of a good token of the first key. @returns {Record<string, any>} */
const header = () => ({ alg: "ES256", kid: issuer.keys[0]?.kid, typ: "at+jwt" });
const first = () => issuer.keys[0] ?? assert.fail();
const second = () => issuer.keys[1] ?? assert.fail();

test("a good token gives its user", async () => {
  const claims = issuer.claims();
  assert.deepEqual(await auth.verify(await issuer.sign({ act: { sub: "3" }, app: { plan: "gold" } })), {
    ...{ id: 7, sessionId: SESSION, role: "user", amr: ["pwd"], authTime: claims.auth_time, actorId: 3 },
    claims: { ...claims, act: { sub: "3" }, app: { plan: "gold" } },
  });
});

test("what a token does not say is null or empty", async () => {
  const user = await auth.verify(await issuer.sign({ role: undefined, amr: undefined, auth_time: undefined }));
  assert.deepEqual([user.role, user.amr, user.authTime, user.actorId], [null, [], null, null]);
});

test("a token of every algorithm that Latchkey signs with", async () => {
  assert.equal((await auth.verify(await issuer.sign({}, {}, second()))).id, 7);
});

test("the audience is the issuer or the one that was set, alone or in a list", async () => {
  assert.equal((await auth.verify(await issuer.sign({ aud: ["https://other.example", issuer.url] }))).id, 7);
  const other = assemble({ issuer: issuer.url, audience: "https://api.example" }, clock.read, () => {});
  assert.equal((await other.verify(await issuer.sign({ aud: "https://api.example" }))).id, 7);
  await assert.rejects(other.verify(await issuer.sign()), { code: "INVALID_TOKEN" });
});

/** @type {Record<string, Record<string, any>>} */
const WRONG_CLAIMS = {
  "another issuer": { iss: "https://accounts.example" },
  "issuer with a slash": { iss: "$issuer/" },
  "list of issuers": { iss: ["$issuer"] },
  "another audience": { aud: "https://api.example" },
  "empty list of audiences": { aud: [] },
  "audience in an object": { aud: { 0: "$issuer" } },
  "refresh token": { typ: "refresh" },
  "OAuth client's token": { client_id: "app" },
  "OAuth client without a name": { client_id: null },
  "id as text": { id: "7" },
  "id with a fraction": { id: 7.5 },
  "id zero": { id: 0, sub: "0" },
  "id too large": { id: 2 ** 31, sub: String(2 ** 31) },
  "sub of another user": { sub: "8" },
  "sub with a zero before": { sub: "07" },
  "sub as number": { sub: 7 },
  "session as number": { sid: 7 },
  "session in capitals": { sid: SESSION.toUpperCase() },
  "session with more behind": { sid: `${SESSION}\n` },
  "empty token id": { jti: "" },
  "token id as number": { jti: 7 },
  "issued as text": { iat: "1" },
  "issued in the future": { iat: 1_800_000_031 },
  "not yet valid": { nbf: 1_800_000_031 },
  "expiry as text": { exp: "9999999999" },
  "expiry with a fraction": { exp: 9_999_999_999.5 },
  "expiry beyond numbers": { exp: 2 ** 53 },
  "role as list": { role: ["admin"] },
  "amr as text": { amr: "mfa" },
  "amr with a number": { amr: [1] },
  "authentication time as text": { auth_time: "1" },
  "actor without sub": { act: {} },
  "actor null": { act: null },
  "actor as text": { act: "3" },
};
const REQUIRED = ["iss", "aud", "sub", "id", "sid", "jti", "typ", "iat", "exp"];

for (const [name, changes] of Object.entries(WRONG_CLAIMS)) {
  test(`refused claims: ${name}`, async () => {
    const signed = JSON.parse(JSON.stringify(changes).replaceAll("$issuer", issuer.url));
    await refused(await issuer.sign(signed));
  });
}

for (const claim of REQUIRED) {
  test(`refused claims: no ${claim}`, async () => refused(await issuer.sign({ [claim]: undefined })));
}

for (const claims of ["null", "[]", "7", '"text"', "", "{", '{"a":\xff}']) {
  test(`refused claims: ${JSON.stringify(claims)}`, async () => {
    await refused(await forge(header(), claims, signerWith(first())));
  });
}

test("30 seconds of skew are allowed to iat, none to exp", async () => {
  assert.equal((await auth.verify(await issuer.sign({ iat: clock.seconds + 30 }))).id, 7);
  assert.equal((await auth.verify(await issuer.sign({ exp: clock.seconds + 1 }))).id, 7);
  await refused(await issuer.sign({ exp: clock.seconds }), "TOKEN_EXPIRED");
});

test("an expired token that is wrong in other ways is not called expired", async () => {
  await refused(await issuer.sign({ exp: clock.seconds - 1, typ: "refresh" }));
});

test("a verified token is refused once it has expired", async () => {
  const own = new Clock();
  const short = assemble({ issuer: issuer.url }, own.read);
  const token = await issuer.sign();
  await short.verify(token);
  own.advance(299);
  await short.verify(token);
  own.advance(1);
  await assert.rejects(short.verify(token), { code: "TOKEN_EXPIRED" });
  await assert.rejects(short.verify(token), { code: "TOKEN_EXPIRED" });
});

/** @type {Record<string, Record<string, any>>} */
const WRONG_HEADERS = {
  "no kid": { kid: undefined },
  "empty kid": { kid: "" },
  "kid as number": { kid: 7 },
  "kid as list": { kid: ["x"] },
  "kid of a prototype": { kid: "__proto__" },
  "unknown kid": { kid: "unknown" },
  "no typ": { typ: undefined },
  "typ of an ID token": { typ: "JWT" },
  "typ in capitals": { typ: "AT+JWT" },
  "typ with its media type": { typ: "application/at+jwt" },
  "typ as list": { typ: ["at+jwt"] },
  "no alg": { alg: undefined },
  "alg of another curve": { alg: "ES384" },
  "alg of the other key": { alg: "EdDSA" },
  "alg in small letters": { alg: "es256" },
  "a critical extension": { crit: ["exp"], exp: 9_999_999_999 },
  "an empty list of critical extensions": { crit: [] },
  "a critical extension that jose knows": { crit: ["b64"], b64: true },
  "an unencoded payload": { crit: ["b64"], b64: false },
};

for (const [name, changes] of Object.entries(WRONG_HEADERS)) {
  test(`refused header: ${name}`, async () => {
    await refused(await forge({ ...header(), ...changes }, issuer.claims(), signerWith(first())));
  });
}

for (const text of ["null", "[]", "7", "{", "", '{"alg":"ES256"']) {
  test(`refused header: ${JSON.stringify(text)}`, async () => {
    await refused(await forge(text, issuer.claims(), signerWith(first())));
  });
}

test("alg none, with and without a signature", async () => {
  for (const alg of ["none", "None", "NONE"]) {
    await refused(await forge({ ...header(), alg }, issuer.claims(), () => Buffer.alloc(0)));
    await refused(await forge({ ...header(), alg }, issuer.claims(), signerWith(first())));
  }
});

test("HS256 with the public key as secret", async () => {
  const { jwk, alg } = first();
  const pem = await exportSPKI(/** @type {any} */ (await importJWK(jwk, alg, { extractable: true })));
  for (const secret of [pem, pem.trim(), JSON.stringify(jwk), Buffer.from(String(jwk.x), "base64url"), ""]) {
    await refused(await forge({ ...header(), alg: "HS256" }, issuer.claims(), macWith(secret || "x")));
  }
});

test("the kid of one key and the signature of another", async () => {
  await refused(await forge(header(), issuer.claims(), signerWith(second())));
  await refused(await forge({ ...header(), kid: second().kid }, issuer.claims(), signerWith(first())));
  await refused(await forge({ ...header(), kid: second().kid, alg: "EdDSA" }, issuer.claims(), signerWith(first())));
  await refused(await issuer.sign({}, { kid: first().kid }, await makeKey()));
});

test("keys that a token brings or names are not used", async () => {
  const foreign = await makeKey();
  const brought = { jwk: foreign.jwk, jku: `${issuer.url}/foreign`, x5u: `${issuer.url}/foreign`, x5c: ["AA=="] };
  await refused(await forge({ ...header(), ...brought }, issuer.claims(), signerWith(foreign)));
  await refused(await forge({ ...header(), ...brought, kid: foreign.kid }, issuer.claims(), signerWith(foreign)));
  assert.equal(
    (await auth.verify(await forge({ ...header(), ...brought }, issuer.claims(), signerWith(first())))).id,
    7,
  );
  assert.ok(!issuer.requests.some((line) => line.includes("foreign")));
});

test("a change of any part is noticed", async () => {
  const parts = (await issuer.sign()).split(".");
  for (const [at, part] of parts.entries()) {
    const changed = part.slice(0, 9) + (part[9] === "A" ? "B" : "A") + part.slice(10);
    await refused(parts.with(at, changed).join("."));
    await refused(parts.with(at, "").join("."));
  }
  await refused(parts.with(2, Buffer.alloc(64).toString("base64url")).join("."));
});

test("a token has one spelling", async () => {
  const token = await issuer.sign();
  const last = token.slice(-1);
  const twin = String.fromCharCode(last.charCodeAt(0) + 1);
  for (const other of [`${token}=`, `${token} `, `${token}\n`, ` ${token}`, `${token}.`, token.slice(0, -1) + twin]) {
    await refused(other);
  }
});

test("what is no token", async () => {
  for (const text of ["", ".", "..", "a.b", "a.b.c.d", "null", "undefined", "ey\u0000.a.b", "é.é.é"])
    await refused(text);
  for (const value of [undefined, null, 7, {}, ["a.b.c"]]) await refused(/** @type {any} */ (value));
});

test("huge tokens are refused before anything is decoded", async () => {
  await refused(await issuer.sign({ app: "x".repeat(4000) }));
  const began = performance.now();
  for (const text of ["a".repeat(10_000_000), `${"a".repeat(4000)}!`, "a.".repeat(2_000_000)]) await refused(text);
  assert.ok(performance.now() - began < 2000);
});

test("random changes are refused as invalid, never with another error", async () => {
  const token = await issuer.sign();
  let seed = 7;
  const random = (/** @type {number} */ below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 500; round++) {
    const at = random(token.length);
    const other = String.fromCharCode(random(128));
    if (other !== token[at]) await refused(token.slice(0, at) + other + token.slice(at + 1 + random(3)));
  }
});

test("a user may be changed, its claims may not, and the next request sees neither", async () => {
  const token = await issuer.sign({ app: { plan: "free" } });
  const user = await auth.verify(token);
  Object.assign(user, { role: "admin", profile: {} });
  assert.throws(() => Object.assign(user.claims, { role: "admin" }), TypeError);
  assert.throws(() => Object.assign(/** @type {any} */ (user.claims.app), { plan: "gold" }), TypeError);
  assert.throws(() => /** @type {any} */ (user.amr).push("mfa"), TypeError);
  const again = await auth.verify(token);
  assert.deepEqual([again.role, again.claims.app, "profile" in again], ["user", { plan: "free" }, false]);
});

test("the log says when the issuer or the audience may be set wrong, and nothing for a forged token", async () => {
  await refused(await issuer.sign({ iss: "https://accounts.example" }));
  assert.match(log.join(), /"iss" claim.*"https:\/\/accounts.example"/);
  log.length = 0;
  await refused(await forge(header(), { ...issuer.claims(), iss: "https://evil" }, signerWith(second())));
  assert.deepEqual(log, []);
});

test("a verified token is remembered, which saves most of the time", async () => {
  const tokens = await Promise.all(Array.from({ length: 100 }, (_, at) => issuer.sign({ jti: `token ${at}` })));
  const times = [];
  for (let round = 0; round < 2; round++) {
    const began = performance.now();
    for (const token of tokens) await auth.verify(token);
    times.push(performance.now() - began);
  }
  const [first = 0, again = 0] = times;
  assert.ok(again * 5 < first, `${first} ms, then ${again} ms`);
});
