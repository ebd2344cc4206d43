import { once } from "node:events";
import http from "node:http";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";

/**
 * What the server is asked.
 *
 * @typedef {(request: http.IncomingMessage, response: http.ServerResponse, url: URL) => void} Answer
 */

/** A key pair, and its public JWK as Latchkey lists it. @param {string} [alg] */
export async function makeKey(alg = "ES256") {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, alg, privateKey, jwk: { ...jwk, kid, alg, use: "sig" }, privateJwk: await exportJWK(privateKey) };
}

/** @typedef {Awaited<ReturnType<typeof makeKey>>} SigningKey */

export const SESSION = "0b6cbf0e-6a5c-4f0e-9d7a-000000000007";

/** A small real server with the endpoints of Latchkey that a verifier needs. It signs tokens with real keys. */
export class Issuer {
  /** The requests so far, as `GET /revocations?wait=5`. @type {string[]} */
  requests = [];
  /** @type {Answer} */
  answerJwks = (_, response) => sendJson(response, { keys: this.keys.map(({ jwk }) => jwk) });
  /** @type {Answer} */
  answerRevocations = (_, response) => sendJson(response, { success: false }, 404);

  /** @param {SigningKey[]} keys @param {import("./clock.js").Clock} clock */
  constructor(keys, clock) {
    this.keys = keys;
    this.clock = clock;
    this.server = http.createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      const url = new URL(String(request.url), this.url);
      if (url.pathname === "/.well-known/jwks.json") this.answerJwks(request, response, url);
      else if (url.pathname === "/revocations") this.answerRevocations(request, response, url);
      else sendJson(response, { success: false }, 404);
    });
  }

  get url() {
    const address = this.server.address();
    return `http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}`;
  }

  /** How often the keys were fetched. */
  get fetches() {
    return this.requests.filter((line) => line === "GET /.well-known/jwks.json").length;
  }

  /** The claims of a good token. @returns {Record<string, any>} */
  claims() {
    const now = this.clock.seconds;
    return {
      ...{ iss: this.url, aud: this.url, sub: "7", id: 7, sid: SESSION, jti: "a-token-id", typ: "access" },
      ...{ iat: now, exp: now + 300, role: "user", amr: ["pwd"], auth_time: now - 60 },
    };
  }

  /**
   * Signs a token. Changes that are undefined remove a claim, or a member of the header.
   *
   * @param {Record<string, any>} [changes]
   * @param {Record<string, any>} [header]
   * @param {SigningKey} [key]
   */
  async sign(changes = {}, header = {}, key = this.keys[0]) {
    if (!key) throw new Error("no key to sign with");
    const full = JSON.parse(JSON.stringify({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header }));
    return new SignJWT({ ...this.claims(), ...changes }).setProtectedHeader(full).sign(key.privateKey);
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Its keys: one of ES256, or these. @param {import("./clock.js").Clock} clock @param {SigningKey[]} [keys] */
export async function startIssuer(clock, keys) {
  const issuer = new Issuer(keys ?? [await makeKey()], clock);
  issuer.server.listen(0, "127.0.0.1");
  await once(issuer.server, "listening");
  return issuer;
}

/** @param {http.ServerResponse} response @param {unknown} body @param {number} [status] */
export function sendJson(response, body, status = 200) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
