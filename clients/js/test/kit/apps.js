import { once } from "node:events";
import http from "node:http";
import { serve } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";

/**
 * A route for each of these, which answers with the user: `/` asks nothing more.
 *
 * @type {Record<string, import("../../src/node.js").Requirements>}
 */
const ROUTES = {
  "/": {},
  "/admin": { role: "admin" },
  "/recent": { maxAge: 300 },
  "/strong": { amr: ["mfa", "otp"] },
  "/strict": { role: "admin", maxAge: 0, amr: ["mfa"] },
};

/** @typedef {import("../../src/node.js").Latchkey} Latchkey */
/** @typedef {{ url: string, close: () => unknown }} App */

/** Real apps with the same routes, for every method, each on a port of its own. */
export const APPS = /** @type {Record<string, (auth: Latchkey) => Promise<App>>} */ ({
  async express(auth) {
    const app = express();
    for (const [path, requirements] of Object.entries(ROUTES)) {
      app.all(path, auth.express(requirements), (req, res) => void res.json(/** @type {any} */ (req).user));
    }
    return listening(http.createServer(app).listen(0, "127.0.0.1"));
  },
  async fastify(auth) {
    const app = Fastify();
    for (const [path, requirements] of Object.entries(ROUTES)) {
      app.all(path, { onRequest: auth.fastify(requirements) }, async (request) => /** @type {any} */ (request).user);
    }
    return { url: await app.listen({ host: "127.0.0.1", port: 0 }), close: () => app.close() };
  },
  async hono(auth) {
    const app = new Hono();
    for (const [path, requirements] of Object.entries(ROUTES)) {
      app.all(path, auth.hono(requirements), (c) => c.json(/** @type {any} */ (c).get("user")));
    }
    return listening(/** @type {http.Server} */ (serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" })));
  },
});

/** @param {http.Server} server @returns {Promise<App>} */
async function listening(server) {
  if (!server.listening) await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => (server.closeAllConnections(), server.close());
  return { url: `http://127.0.0.1:${port}`, close };
}
