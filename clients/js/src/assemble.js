import { express, fastify, hono } from "./frameworks.js";
import { Guard } from "./guard.js";
import { KeySet } from "./keys.js";
import { makeLog } from "./log.js";
import { readOptions } from "./options.js";
import { Revocations } from "./revocations.js";
import { Verifier } from "./verifier.js";

/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./options.js").Requirements} Requirements */
/** @typedef {import("./token.js").User} User */

/**
 * Does as `latchkey`, with the time and the log passed in.
 *
 * @param {Options} given
 * @param {() => number} clock milliseconds since the epoch
 * @param {import("./log.js").Log} [log]
 */
export function assemble(given, clock, log = makeLog(clock)) {
  const { issuer, audience, apiKey, whenStale, origins, cookieName, jwksUrl, revocationsUrl } = readOptions(given);
  const keys = new KeySet({ url: jwksUrl, clock, log });
  const revocations = apiKey ? new Revocations({ url: revocationsUrl, apiKey, whenStale, clock, log }) : undefined;
  const verifier = new Verifier({ issuer, audience, keys, revocations, clock, log });
  const guard = new Guard({ verifier, cookieName, origins, clock, log });
  return {
    /**
     * Returns the user of an access token. Rejects with a LatchkeyError: INVALID_TOKEN, TOKEN_EXPIRED, or
     * SERVICE_UNAVAILABLE. @param {string} token @returns {Promise<User>}
     */
    verify: (token) => verifier.verify(token),
    /** Returns middleware of Express. Handlers find the user at `req.user`. @param {Requirements} [requirements] */
    express: (requirements) => express(guard, requirements),
    /** Returns a hook of Fastify, for `onRequest`. Handlers find the user at `request.user`.
     * @param {Requirements} [requirements] */
    fastify: (requirements) => fastify(guard, requirements),
    /** Returns middleware of Hono. Handlers find the user with `c.get("user")`. @param {Requirements} [requirements] */
    hono: (requirements) => hono(guard, requirements),
    /** Stops following ended sessions. A process can exit without this. */
    close: () => revocations?.close(),
  };
}
