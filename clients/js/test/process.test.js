// A whole process: TLS, what it prints, and that it can end.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Clock } from "./kit/clock.js";
import { EndedSessions } from "./kit/ended_sessions.js";
import { startIssuer } from "./kit/issuer.js";
import { start } from "./kit/script.js";
import { eventually } from "./kit/waiting.js";

const HEAD = `import { latchkey } from ${JSON.stringify(new URL("../src/node.js", import.meta.url).href)};`;

/** A server whose tokens are valid now. */
async function startIssuerOfToday() {
  const clock = new Clock();
  clock.advance(Math.floor((Date.now() - clock.read()) / 1000));
  return startIssuer(clock);
}

for (const [what, apiKey, isThere] of /** @type {const} */ ([
  ["waits for Latchkey's answer, which takes 5 seconds", "lk_test", /user 7/],
  ["waits 30 seconds after a refusal", "lk_revoked", /cannot follow/],
])) {
  test(`a process ends when its work is done, while it ${what}`, async (t) => {
    const [issuer, ended] = [await startIssuerOfToday(), new EndedSessions()];
    issuer.answerRevocations = ended.answer;
    t.after(() => issuer.close());
    const script = start({
      text: `${HEAD}
        process.on("SIGTERM", () => process.stdin.pause());
        process.stdin.resume(); // Keeps it running until the test says so.
        const auth = latchkey({ issuer: "${issuer.url}", apiKey: "${apiKey}" });
        console.log("user", (await auth.verify("${await issuer.sign()}")).id);`,
    });
    t.after(() => script.kill());
    await script.prints(/user 7/);
    await script.prints(isThere);
    await eventually(() => ended.asked.length === 1);
    const began = performance.now();
    script.terminate();
    assert.equal(await script.exits(), 0, script.printed());
    assert.ok(performance.now() - began < 4000);
  });
}

for (const [what, answer] of Object.entries({
  "does not answer": () => {},
  refuses: (/** @type {any} */ _, /** @type {import("node:http").ServerResponse} */ response) => response.destroy(),
})) {
  test(`a process that only makes a verifier ends at once while Latchkey ${what}`, async (t) => {
    const issuer = await startIssuerOfToday();
    issuer.answerRevocations = answer;
    t.after(() => issuer.close());
    const script = start({ text: `${HEAD} latchkey({ issuer: "${issuer.url}", apiKey: "lk_x" });` });
    assert.equal(await script.exits(), 0);
    assert.equal(script.printed(), "");
  });
}

test("a verification in progress keeps the process running", async (t) => {
  const issuer = await startIssuerOfToday();
  const { answerJwks } = issuer;
  issuer.answerJwks = (...all) => void setTimeout(() => answerJwks(...all), 300);
  t.after(() => issuer.close());
  const script = start({
    text: `${HEAD} console.log((await latchkey({ issuer: "${issuer.url}" }).verify("${await issuer.sign()}")).id);`,
  });
  assert.equal(await script.exits(), 0, script.printed());
  assert.equal(script.printed(), "7\n");
});

test("trouble is written to standard error, once a minute", async (t) => {
  const issuer = await startIssuerOfToday();
  const [key] = issuer.keys;
  issuer.keys = [];
  t.after(() => issuer.close());
  const script = start({
    text: `${HEAD}
      const auth = latchkey({ issuer: "${issuer.url}" });
      const token = "${await issuer.sign({}, {}, key)}";
      for (let i = 0; i < 3; i++) await auth.verify(token).catch(({ code }) => console.log(code));`,
  });
  assert.equal(await script.exits(), 0);
  const lines = script
    .printed()
    .split("\n")
    .filter((line) => line.startsWith("latchkey-client: "));
  const advice = "lists no keys. Run `latchkey keys init` where Latchkey runs";
  assert.deepEqual(lines, [`latchkey-client: ${issuer.url}/.well-known/jwks.json ${advice}`]);
  assert.equal(script.printed().match(/^SERVICE_UNAVAILABLE$/gm)?.length, 3);
});

test("keys are fetched by TLS, from a server whose certificate is trusted", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "latchkey-tls-"));
  const [keyFile, certificate] = [path.join(folder, "key.pem"), path.join(folder, "certificate.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", keyFile, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files], {
    stdio: "pipe",
  });
  const inner = await startIssuerOfToday();
  const options = { key: readFileSync(keyFile), cert: readFileSync(certificate) };
  const server = https.createServer(options, (...all) => inner.server.emit("request", ...all)).listen(0, "localhost");
  await new Promise((resolve) => server.on("listening", resolve));
  t.after(() => {
    rmSync(folder, { recursive: true });
    server.close();
    server.closeAllConnections();
    inner.close();
  });
  const url = `https://localhost:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  const text = `${HEAD}
    const auth = latchkey({ issuer: "${url}" });
    const token = "${await inner.sign({ iss: url, aud: url })}";
    console.log(await auth.verify(token).then(({ id }) => id, ({ code }) => code));`;
  const trusting = start({ text, env: { NODE_EXTRA_CA_CERTS: certificate } });
  assert.equal(await trusting.exits(), 0);
  assert.equal(trusting.printed(), "7\n");
  const doubting = start({ text });
  assert.equal(await doubting.exits(), 0);
  assert.match(doubting.printed(), /cannot fetch the keys.*self-signed certificate[^]*SERVICE_UNAVAILABLE/);
});
