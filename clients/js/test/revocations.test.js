// With an API key, tokens of ended sessions are refused.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { assemble } from "../src/assemble.js";
import { Clock } from "./kit/clock.js";
import { EndedSessions } from "./kit/ended_sessions.js";
import { sendJson, SESSION, startIssuer } from "./kit/issuer.js";
import { eventually } from "./kit/waiting.js";

const INVALID = { code: "INVALID_TOKEN" };
const UNAVAILABLE = { code: "SERVICE_UNAVAILABLE", status: 503 };
const OTHER_SESSION = SESSION.replace("7", "8");

/** @type {Clock} */
let clock;
/** @type {import("./kit/issuer.js").Issuer} */
let issuer;
/** @type {EndedSessions} */
let ended;
/** @type {string[]} */
let log;
/** @type {import("../src/node.js").Latchkey[]} */
let opened;

beforeEach(async () => {
  clock = new Clock();
  issuer = await startIssuer(clock);
  ended = new EndedSessions();
  issuer.answerRevocations = ended.answer;
  [log, opened] = [[], []];
});
afterEach(() => {
  for (const auth of opened) auth.close();
  issuer.close();
});

/** @param {Partial<import("../src/node.js").Options>} [options] */
function open(options) {
  const auth = assemble({ issuer: issuer.url, apiKey: ended.key, ...options }, clock.read, (line) => log.push(line));
  opened.push(auth);
  return auth;
}
const polls = () => issuer.requests.filter((line) => line.startsWith("GET /revocations"));
/** @param {string} key */
const askedWith = (key) => ended.asked.filter((each) => each === key).length;
const isFollowing = () => ended.waiting > 0;
/** @param {import("../src/node.js").Latchkey} auth @param {string} token */
const isRefused = (auth, token) =>
  auth.verify(token).then(
    () => false,
    ({ code }) => code === "INVALID_TOKEN",
  );
/** Valid for the two hours that a test may take. @param {string} [sid] */
const longToken = (sid = SESSION) => issuer.sign({ sid, exp: clock.seconds + 7200 });

test("a session that ends is refused while its token is remembered, other sessions hold", async () => {
  const auth = open();
  const [token, other] = [await longToken(), await longToken(OTHER_SESSION)];
  assert.equal((await auth.verify(token)).id, 7);
  await eventually(isFollowing);
  ended.end(SESSION);
  await eventually(() => isRefused(auth, token));
  await assert.rejects(auth.verify(await longToken()), INVALID);
  assert.equal((await auth.verify(other)).id, 7);
});

test("what ended before the start is known, and its pages follow each other at once", async () => {
  ended.pageSize = 1;
  ended.end(...Array.from({ length: 150 }, (_, at) => `session ${at}`), SESSION);
  const auth = open();
  await eventually(async () => isRefused(auth, await longToken()));
});

test("the cursor goes back to Latchkey, and the API key is in its header only", async () => {
  open();
  await eventually(isFollowing);
  ended.end(SESSION);
  await eventually(() => polls().some((line) => line === "GET /revocations?wait=5&since=at+1"));
  assert.ok(!issuer.requests.some((line) => line.includes("lk_")));
});

test("an ending is remembered for 61 minutes from its arrival", async () => {
  const auth = open();
  const token = await longToken();
  ended.end(SESSION);
  await eventually(() => isRefused(auth, token));
  clock.advance(61 * 60 - 1);
  await assert.rejects(auth.verify(token), INVALID);
  clock.advance(1);
  assert.equal((await auth.verify(token)).id, 7);
});

test("an ending that arrives again is remembered from then on", async () => {
  const auth = open();
  const token = await longToken();
  ended.end(SESSION);
  await eventually(() => isRefused(auth, token));
  clock.advance(60 * 60);
  ended.end(SESSION, "last");
  await eventually(() => polls().some((line) => line.includes("since=at+3")));
  clock.advance(2 * 60);
  await assert.rejects(auth.verify(token), INVALID);
});

for (const whenStale of /** @type {const} */ (["accept", "refuse"])) {
  test(`before the first answer, and over 10 seconds behind: whenStale ${whenStale}`, async () => {
    issuer.answerRevocations = (_, response) => sendJson(response, {}, 503);
    const auth = open({ whenStale });
    const token = await longToken();
    const behind = async () =>
      whenStale === "refuse"
        ? assert.rejects(auth.verify(token), UNAVAILABLE)
        : assert.equal((await auth.verify(token)).id, 7);
    await eventually(() => log.some((line) => /cannot follow.*503/.test(line)));
    await behind();

    issuer.answerRevocations = ended.answer;
    ended.end("another");
    await eventually(isFollowing);
    assert.equal((await auth.verify(token)).id, 7);
    clock.advance(10);
    assert.equal((await auth.verify(token)).id, 7);
    clock.advance(1);
    await behind();

    ended.end(SESSION);
    await eventually(() => isRefused(auth, token));
    clock.advance(11);
    await assert.rejects(auth.verify(token), INVALID, "known endings are refused while behind, too");
  });
}

test("a cursor that Latchkey does not know is given up", async () => {
  issuer.answerRevocations = (_, response) =>
    sendJson(response, { success: true, data: { sessions: [], cursor: "of another database", more: false } });
  const auth = open();
  await eventually(() => polls().length === 1);
  issuer.answerRevocations = ended.answer;
  ended.end(SESSION);
  await eventually(async () => isRefused(auth, await longToken()));
});

test("a refused key is named in the log, and not tried again soon", async () => {
  const auth = open({ apiKey: "lk_revoked" });
  await eventually(() => log.some((line) => /401.*The API key is unknown, expired or revoked/.test(line)));
  assert.equal((await auth.verify(await longToken())).id, 7);
  open();
  for (let ending = 0; ending < 10; ending++) {
    await eventually(isFollowing);
    ended.end(`session ${ending}`);
  }
  // Each took 200 ms: together longer than the pause after other failures.
  assert.equal(askedWith("lk_revoked"), 1);
  assert.ok(!log.join().includes("lk_"));
});

test("a key without the scope is named in the log", async () => {
  issuer.answerRevocations = (_, response) => sendJson(response, {}, 403);
  open();
  await eventually(() => log.some((line) => /403.*needs the scope revocations:read/.test(line)));
});

test("as long as more is to come, it is behind", async () => {
  issuer.answerRevocations = (_, response) =>
    sendJson(response, { success: true, data: { sessions: [SESSION], cursor: "at 1", more: true } });
  const auth = open({ whenStale: "refuse" });
  await eventually(async () => isRefused(auth, await longToken()));
  await assert.rejects(auth.verify(await longToken(OTHER_SESSION)), UNAVAILABLE);
});

/** @type {Record<string, import("./kit/issuer.js").Answer>} */
const BAD_ANSWERS = {
  "no list": (_, response) => sendJson(response, { success: true, data: { sessions: {}, cursor: "x" } }),
  "no cursor": (_, response) => sendJson(response, { success: true, data: { sessions: [] } }),
  "no JSON": (_, response) => response.end("<html>"),
  "a redirect": (_, response) => response.writeHead(302, { Location: `${issuer.url}/elsewhere` }).end(),
  "too much": (_, response) => sendJson(response, { data: { sessions: [], cursor: "x".repeat(2_000_000) } }),
};
for (const [name, answer] of Object.entries(BAD_ANSWERS)) {
  test(`an answer that is ${name} counts as none`, async () => {
    issuer.answerRevocations = answer;
    const auth = open({ whenStale: "refuse" });
    await eventually(() => log.some((line) => line.startsWith("cannot follow")));
    await assert.rejects(auth.verify(await longToken()), UNAVAILABLE);
    assert.ok(!issuer.requests.some((line) => line.includes("elsewhere")));
  });
}

test("an answer that comes at once without an ending is not asked for again at once", async () => {
  issuer.answerRevocations = (_, response) =>
    sendJson(response, { success: true, data: { sessions: [], cursor: "at 0", more: false } });
  const began = performance.now();
  open();
  await eventually(() => polls().length === 3);
  assert.ok(performance.now() - began > 300, "two pauses of at least 200 ms");
});

test("it is followed where the keys are fetched", async () => {
  const jwksUrl = `${issuer.url}/inner/.well-known/jwks.json`;
  open({ issuer: "https://accounts.example", jwksUrl });
  await eventually(() => issuer.requests.includes("GET /inner/revocations?wait=5"));
});

test("close ends it", async () => {
  const closed = open();
  await eventually(isFollowing);
  closed.close();
  ended.end("a");
  await eventually(() => !isFollowing());
  // This one's second request comes after the one that the closed one would have sent.
  open({ apiKey: ended.otherKey });
  await eventually(() => askedWith(ended.otherKey) === 2);
  assert.equal(askedWith(ended.key), 1);
});

test("without an API key nothing is asked", async () => {
  const auth = assemble({ issuer: issuer.url }, clock.read);
  await auth.verify(await longToken());
  auth.close();
  assert.deepEqual(polls(), []);
});
