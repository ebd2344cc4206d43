// What apps of Express, Fastify and Hono answer, over HTTP.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assemble } from "../src/assemble.js";
import { APPS } from "./kit/apps.js";
import { Clock } from "./kit/clock.js";
import { makeKey, SESSION, startIssuer } from "./kit/issuer.js";
import { send } from "./kit/raw_http.js";

const clock = new Clock();
const PAGE = "https://app.example";
/** @type {import("./kit/issuer.js").Issuer} */
let issuer;
/** @type {string} */
let token;
/** @type {string} */
let other;
/** @type {string[]} */
const log = [];

before(async () => {
  issuer = await startIssuer(clock);
  [token, other] = [await issuer.sign(), await issuer.sign({ id: 8, sub: "8" })];
});
after(() => issuer.close());

/** @typedef {[string, string][]} Headers */
/** @param {string} value @returns {Headers} */
const bearer = (value) => [["Authorization", `Bearer ${value}`]];
/** @param {string} value @param {string} [name] @returns {Headers} */
const cookie = (value, name = "accessToken") => [["Cookie", `${name}=${value}`]];
/** @param {string} code @param {string} message */
const envelope = (code, message) => ({ success: false, message, code });

const UNAUTHORIZED = [401, envelope("UNAUTHORIZED", "Unauthorized")];
const INVALID = [401, envelope("INVALID_TOKEN", "Invalid token")];
const EXPIRED = [401, envelope("TOKEN_EXPIRED", "Token expired")];
const AMBIGUOUS = [401, envelope("AMBIGUOUS_CREDENTIALS", "Send cookies, a bearer token or an API key, not two")];
const FORBIDDEN = [403, envelope("FORBIDDEN", "You are not allowed to perform this action")];
const NOT_RECENT = [403, envelope("REAUTHENTICATION_REQUIRED", "Confirm that it is you")];
const UNAVAILABLE = [503, envelope("SERVICE_UNAVAILABLE", "Service temporarily unavailable")];

for (const [framework, start] of Object.entries(APPS)) {
  describe(framework, () => {
    /** @type {import("./kit/apps.js").App} */
    let app;
    before(async () => {
      const options = { issuer: issuer.url, origins: [PAGE, "http://localhost:5173"] };
      app = await start(assemble(options, clock.read, (line) => log.push(line)));
    });
    after(() => app.close());

    /** @param {Headers} headers @param {string} [method] @param {string} [path] */
    const ask = (headers, method, path = "/") => send(app.url + path, { headers, ...(method && { method }) });
    /** @param {Headers} headers @param {unknown[]} expected @param {string} [path] */
    const answers = async (headers, expected, path) => {
      const { status, json } = await ask(headers, "GET", path);
      assert.deepEqual([status, json], expected);
    };
    /** @param {Headers} headers @param {number} [id] */
    const admits = async (headers, id = 7) => {
      const { status, json } = await ask(headers);
      assert.deepEqual([status, json.id], [200, id]);
    };

    test("the user of a bearer token and of a cookie", async () => {
      for (const headers of [bearer(token), cookie(token)]) {
        const { status, json } = await ask(headers);
        const { claims, ...user } = json;
        assert.equal(status, 200);
        assert.deepEqual(user, {
          ...{ id: 7, sessionId: SESSION, role: "user", amr: ["pwd"], authTime: clock.seconds - 60, actorId: null },
        });
        assert.equal(claims.iss, issuer.url);
      }
    });

    test("no credentials", async () => {
      await answers([], UNAUTHORIZED);
      await answers([["Authorization", `Basic ${token}`]], UNAUTHORIZED);
      await answers([["Authorization", `Bearer${token}`]], UNAUTHORIZED);
      await answers([["Authorization", token]], UNAUTHORIZED);
      await answers([["Cookie", `other=${token}; accessToken`]], UNAUTHORIZED);
      await answers([["Cookie", "accessToken=; accessToken="]], UNAUTHORIZED);
      await answers([["Cookie", `accesstoken=${token}; xaccessToken=${token}; accessToken2=${token}`]], UNAUTHORIZED);
    });

    test("bad and expired tokens", async () => {
      const expired = await issuer.sign({ exp: clock.seconds });
      for (const carry of [bearer, cookie]) {
        await answers(carry("null"), INVALID);
        await answers(carry(`${token}x`), INVALID);
        await answers(carry(await issuer.sign({ typ: "refresh" })), INVALID);
        await answers(carry(expired), EXPIRED);
      }
      await answers([["Authorization", "Bearer"]], INVALID);
      await answers(bearer(`${token} ${token}`), INVALID);
    });

    test("the scheme is not case-sensitive and may be followed by several spaces", async () => {
      await admits([["Authorization", `bearer ${token}`]]);
      await admits([["Authorization", `BEARER   ${token}`]]);
    });

    test("a bearer token beside a cookie is ambiguous, also when they are the same", async () => {
      await answers([...bearer(token), ...cookie(token)], AMBIGUOUS);
      await answers([...bearer(token), ...cookie("x")], AMBIGUOUS);
      await admits([...bearer(token), ...cookie("")]);
    });

    test("beside a cookie, other schemes and what is no token do not count", async () => {
      for (const value of ["Basic YTpi", "Bearer null", "Bearer", "Bearer undefined"]) {
        await admits([["Authorization", value], ...cookie(token)]);
      }
    });

    test("a header that comes twice", async () => {
      await answers([...bearer(token), ...bearer(token)], INVALID);
      await answers([...bearer(token), ...bearer(other)], INVALID);
      await answers([["Authorization", "Basic YTpi"], ...bearer(token)], UNAUTHORIZED);
      assert.notEqual((await ask([...cookie(token), ...cookie(other)])).status, 200);
    });

    test("a cookie that comes twice", async () => {
      await answers([["Cookie", `accessToken=${token}; accessToken=${token}`]], INVALID);
      await answers([["Cookie", `accessToken=${token}; a=b; accessToken=x`]], INVALID);
      await admits([["Cookie", `accessToken=; accessToken=${token}`]]);
    });

    test("only space and tab are white space in a cookie's name", async () => {
      await admits([["Cookie", `a=b;\t accessToken\t= ${token} ; c=d`]]);
      // U+00A0 as one byte, which String.trim would remove.
      await answers([["Cookie", `\u00a0accessToken=${token}`]], UNAUTHORIZED);
      await answers([["Cookie", `accessToken="${token}"`]], INVALID);
    });

    test("long headers cost no time", async () => {
      const began = performance.now();
      await ask([["Cookie", `accessToken=${" ".repeat(6000)}x${" ".repeat(6000)}=`]]);
      await ask([["Cookie", ";".repeat(12_000)]]);
      await ask([["Authorization", `Bearer ${" ".repeat(12_000)}x`]]);
      assert.ok(performance.now() - began < 1000);
    });

    test("with a cookie, a change must come from the app's own origin or a listed one", async () => {
      const host = new URL(app.url).host;
      const allowed = [PAGE, "http://localhost:5173", `http://${host}`, `https://${host}`];
      const foreign = [
        ...["https://evil.example", "null", `http://${host}.evil.example`, "http://127.0.0.1", `${PAGE}.evil.example`],
        ...[`${PAGE}/`, `${PAGE}:8443`, "http://app.example", `http://x@${host}`, `ws://${host}`, "http://", ""],
        ...[`${PAGE}, ${PAGE}`, `${PAGE} https://evil.example`],
      ];
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        for (const origin of allowed) {
          assert.equal((await ask([...cookie(token), ["Origin", origin]], method)).status, 200, `${method} ${origin}`);
        }
        for (const origin of foreign) {
          const { status, json } = await ask([...cookie(token), ["Origin", origin]], method);
          assert.deepEqual([status, json], FORBIDDEN, `${method} ${origin}`);
        }
      }
      assert.match(log.join("\n"), /its Origin "https:\/\/evil.example" is neither that of its Host "127.0.0.1:/);
    });

    test("two Origin headers are none that is allowed", async () => {
      const headers = /** @type {Headers} */ ([...cookie(token), ["Origin", PAGE], ["Origin", PAGE]]);
      assert.equal((await ask(headers, "POST")).status, 403);
    });

    test("without Origin, Sec-Fetch-Site must say same-origin", async () => {
      /** @type {[Headers, number][]} */
      const cases = [
        [[], 403],
        [[["Sec-Fetch-Site", "same-origin"]], 200],
        ...["same-site", "cross-site", "none", "", "Same-Origin"].map(
          (site) => /** @type {[Headers, number]} */ ([[["Sec-Fetch-Site", site]], 403]),
        ),
        [
          [
            ["Sec-Fetch-Site", "same-origin"],
            ["Origin", "https://evil.example"],
          ],
          403,
        ],
      ];
      for (const [headers, expected] of cases) {
        assert.equal((await ask([...cookie(token), ...headers], "POST")).status, expected, JSON.stringify(headers));
      }
    });

    test("safe methods and bearer tokens need no origin", async () => {
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        assert.equal((await ask([...cookie(token), ["Origin", "https://evil.example"]], method)).status, 200, method);
      }
      assert.equal((await ask([...bearer(token), ["Origin", "https://evil.example"]], "DELETE")).status, 200);
    });

    test("a role", async () => {
      await answers(bearer(token), FORBIDDEN, "/admin");
      await answers(bearer(await issuer.sign({ role: undefined })), FORBIDDEN, "/admin");
      await answers([], UNAUTHORIZED, "/admin");
      assert.equal((await ask(bearer(await issuer.sign({ role: "admin" })), "GET", "/admin")).status, 200);
    });

    test("a maximum age of the sign-in", async () => {
      const { seconds } = clock;
      await answers(bearer(await issuer.sign({ auth_time: seconds - 301 })), NOT_RECENT, "/recent");
      await answers(bearer(await issuer.sign({ auth_time: undefined })), NOT_RECENT, "/recent");
      assert.equal((await ask(bearer(await issuer.sign({ auth_time: seconds - 300 })), "GET", "/recent")).status, 200);
    });

    test("methods of the sign-in: all that are named", async () => {
      await answers(bearer(token), NOT_RECENT, "/strong");
      await answers(bearer(await issuer.sign({ amr: ["pwd", "mfa"] })), NOT_RECENT, "/strong");
      await answers(bearer(await issuer.sign({ amr: undefined })), NOT_RECENT, "/strong");
      const strong = await issuer.sign({ amr: ["pwd", "otp", "mfa"] });
      assert.equal((await ask(bearer(strong), "GET", "/strong")).status, 200);
    });

    test("several requirements hold together", async () => {
      const good = { role: "admin", amr: ["mfa"], auth_time: clock.seconds };
      assert.equal((await ask(bearer(await issuer.sign(good)), "GET", "/strict")).status, 200);
      await answers(bearer(await issuer.sign({ ...good, role: "user" })), FORBIDDEN, "/strict");
      await answers(bearer(await issuer.sign({ ...good, amr: [] })), NOT_RECENT, "/strict");
      await answers(bearer(await issuer.sign({ ...good, auth_time: clock.seconds - 1 })), NOT_RECENT, "/strict");
    });

    test("a challenge says to bearers of tokens what is wrong", async () => {
      /** @type {[Headers, string, string | null][]} */
      const cases = [
        [bearer("x"), "/", 'Bearer error="invalid_token"'],
        [[...bearer(token), ...cookie(token)], "/", 'Bearer error="invalid_token"'],
        [bearer(token), "/admin", "Bearer"],
        [
          bearer(await issuer.sign({ auth_time: 1 })),
          "/recent",
          'Bearer error="insufficient_user_authentication", max_age=300',
        ],
        [bearer(token), "/strong", 'Bearer error="insufficient_user_authentication"'],
        [cookie("x"), "/", "Bearer"],
        [cookie(token), "/admin", null],
        [[], "/", "Bearer"],
      ];
      for (const [headers, path, expected] of cases) {
        const answer = await ask(headers, "GET", path);
        assert.equal(answer.headers.get("www-authenticate"), expected);
        assert.equal(answer.headers.get("cache-control"), "no-store");
        assert.match(String(answer.headers.get("content-type")), /^application\/json/);
      }
    });

    test("HEAD is refused without a body", async () => {
      const { status, json } = await ask([], "HEAD");
      assert.deepEqual([status, json], [401, undefined]);
    });
  });

  test(`${framework}: 503 with Retry-After while no keys are known`, async (t) => {
    const empty = await startIssuer(clock, []);
    const app = await start(assemble({ issuer: empty.url }, clock.read, () => {}));
    t.after(() => (app.close(), empty.close()));
    const { status, json, headers } = await send(app.url, { headers: bearer(token) });
    assert.deepEqual([status, json], UNAVAILABLE);
    assert.equal(headers.get("retry-after"), "2");
    assert.equal(headers.get("www-authenticate"), null);
  });

  test(`${framework}: the cookie's name can be set`, async (t) => {
    const app = await start(assemble({ issuer: issuer.url, cookieName: "__Host-accessToken" }, clock.read));
    t.after(() => app.close());
    assert.equal((await send(app.url, { headers: cookie(token, "__Host-accessToken") })).status, 200);
    assert.equal((await send(app.url, { headers: cookie(token) })).status, 401);
  });

  test(`${framework}: a fault is an error of the app, and admits nobody`, async (t) => {
    // A clock that fails stands for any fault of ours.
    let works = true;
    const clockThatFails = () => (works ? clock.read() : assert.fail("the clock has stopped"));
    const app = await start(assemble({ issuer: issuer.url }, clockThatFails, () => {}));
    t.after(() => app.close());
    works = false;
    assert.equal((await send(app.url, { headers: bearer(token) })).status, 500);
  });
}

test("keys of two algorithms in three apps at once", async () => {
  const both = await startIssuer(clock, [await makeKey(), await makeKey("EdDSA")]);
  const auth = assemble({ issuer: both.url }, clock.read);
  for (const start of Object.values(APPS)) {
    const app = await start(auth);
    for (const key of both.keys) {
      assert.equal((await send(app.url, { headers: bearer(await both.sign({}, {}, key)) })).status, 200);
    }
    await app.close();
  }
  assert.equal(both.fetches, 1);
  both.close();
});

test("Fastify's inject, which makes requests without a connection", async () => {
  const { default: Fastify } = await import("fastify");
  const app = Fastify();
  app.get("/", { onRequest: assemble({ issuer: issuer.url }, clock.read).fastify() }, async () => "in");
  const good = await app.inject({ url: "/", headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([good.statusCode, (await app.inject("/")).statusCode], [200, 401]);
});

test("headers that the app set before stay on refusals, such as those of CORS", async (t) => {
  const { default: express } = await import("express");
  const auth = assemble({ issuer: issuer.url }, clock.read);
  const app = express();
  app.use((_, res, next) => {
    res.setHeader("Access-Control-Allow-Origin", PAGE);
    next();
  });
  app.get("/", auth.express());
  const server = app.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const { status, headers } = await send(`http://127.0.0.1:${port}/`);
  assert.deepEqual([status, headers.get("access-control-allow-origin")], [401, PAGE]);
});
