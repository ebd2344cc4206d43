// What `npm publish` would send, and the examples that run with it. One file, because packing builds `dist`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Clock } from "./kit/clock.js";
import { EndedSessions } from "./kit/ended_sessions.js";
import { CLIENT, EXAMPLES, exampleFile, installPacked, ROOT } from "./kit/installed.js";
import { SESSION, startIssuer } from "./kit/issuer.js";
import { start } from "./kit/script.js";
import { eventually } from "./kit/waiting.js";

/** @type {string} */
let project;
/** @type {string} */
let packed;
before(() => {
  project = installPacked();
  packed = path.join(project, "node_modules/latchkey-client");
});
after(() => rmSync(project, { recursive: true }));

const description = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));

test("it holds the code, its types and its documents, and nothing else", () => {
  assert.deepEqual(readdirSync(packed).sort(), ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json"]);
  const modules = [...readdirSync(path.join(ROOT, "src")), "client.js"];
  const expected = modules.flatMap((name) => [name, name.replace(/\.js$/, ".d.ts")]);
  assert.deepEqual(readdirSync(path.join(packed, "dist")).sort(), expected.sort());
});

test("the browser client is the file that Latchkey serves", () => {
  assert.deepEqual(readFileSync(path.join(packed, "dist/client.js")), readFileSync(CLIENT));
});

test("the licence is that of Latchkey", () => {
  assert.deepEqual(readFileSync(path.join(packed, "LICENSE")), readFileSync(path.join(ROOT, "../../LICENSE")));
});

test("the changelog has the version", () => {
  const changelog = readFileSync(path.join(packed, "CHANGELOG.md"), "utf8");
  assert.match(changelog, new RegExp(`^## ${description.version.replaceAll(".", "\\.")} `, "m"));
});

test("both entries load, and export what is documented", () => {
  const text = `
    const [browser, node] = [await import("latchkey-client"), await import("latchkey-client/node")];
    console.log([...Object.keys(browser), ...Object.keys(node)].join());`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", text], { cwd: project });
  assert.equal(String(printed).trim(), "LatchkeyError,createClient,LatchkeyError,latchkey");
});

test("it depends on jose alone", () => {
  assert.deepEqual(Object.keys(description.dependencies), ["jose"]);
  const imports = readdirSync(path.join(packed, "dist"))
    .filter((name) => name.endsWith(".js"))
    .flatMap((name) => [
      ...readFileSync(path.join(packed, "dist", name), "utf8").matchAll(/^import .* from "([^.].*)";$/gm),
    ])
    .map(([, from]) => from);
  assert.deepEqual(new Set(imports), new Set(["jose", "node:http", "node:https"]));
});

test("every export has its file and its types", () => {
  for (const file of Object.values(description.exports)) {
    assert.ok(existsSync(path.join(packed, file)));
    assert.ok(existsSync(path.join(packed, file.replace(/\.js$/, ".d.ts"))));
  }
});

for (const name of EXAMPLES) {
  test(`the example of ${name}`, async (t) => {
    assert.ok(readFileSync(exampleFile(name), "utf8").split("\n").length <= 31);
    const clock = new Clock();
    clock.advance(Math.floor((Date.now() - clock.read()) / 1000));
    const [issuer, ended] = [await startIssuer(clock), new EndedSessions()];
    issuer.answerRevocations = ended.answer;
    const env = {
      LATCHKEY_URL: issuer.url,
      LATCHKEY_API_KEY: ended.key,
      PAGE_ORIGIN: "https://app.example",
      PORT: "0",
    };
    const example = start({ file: path.join(project, `${name}.mjs`), env });
    t.after(async () => (issuer.close(), await example.kill()));
    const [, port] = await example.prints(/Listening on port (\d+)/);

    /** @param {string} method @param {string} token @param {object} [headers] @returns {Promise<[number, any]>} */
    const ask = async (method, token, headers = { Authorization: `Bearer ${token}` }) => {
      const init = { method, headers: new Headers({ ...headers }) };
      if (method === "POST") {
        init.headers.set("Content-Type", "application/json");
        Object.assign(init, { body: JSON.stringify({ text: "milk" }) });
      }
      const response = await fetch(`http://localhost:${port}/notes`, init);
      return [response.status, await response.json().catch(() => null)];
    };
    const token = await issuer.sign();
    const other = await issuer.sign({ id: 8, sub: "8", sid: crypto.randomUUID() });
    const admin = await issuer.sign({ id: 9, sub: "9", sid: crypto.randomUUID(), role: "admin" });
    const absent = await issuer.sign({ id: 9, sub: "9", sid: crypto.randomUUID(), role: "admin", auth_time: 1 });

    assert.deepEqual(await ask("GET", token), [200, []]);
    assert.deepEqual(await ask("POST", token), [201, ["milk"]]);
    assert.deepEqual(await ask("GET", token), [200, ["milk"]]);
    assert.deepEqual(await ask("GET", other), [200, []]);
    assert.equal((await ask("GET", "null"))[0], 401);
    assert.equal((await ask("DELETE", token))[1].code, "FORBIDDEN");
    assert.equal((await ask("DELETE", absent))[1].code, "REAUTHENTICATION_REQUIRED");
    assert.deepEqual(await ask("DELETE", admin), [204, null]);
    assert.deepEqual(await ask("GET", token), [200, []]);

    const byCookie = { Cookie: `accessToken=${token}` };
    assert.equal((await ask("POST", "", { ...byCookie, Origin: "https://app.example" }))[0], 201);
    assert.equal((await ask("POST", "", { ...byCookie, Origin: "https://evil.example" }))[0], 403);

    ended.end(SESSION);
    await eventually(async () => (await ask("GET", token))[1].code === "INVALID_TOKEN");
    assert.equal((await ask("GET", other))[0], 200);
  });
}
