import { readRequirements } from "./options.js";
import { viewOf } from "./request.js";

/**
 * What is used of the frameworks' own types, so that the package depends on no framework.
 *
 * @typedef {{ method?: string | undefined, rawHeaders: string[] }} NodeRequest
 * @typedef {{ writeHead(status: number, headers: Headers): { end(body: string): unknown } }} NodeResponse
 * @typedef {{ code(status: number): FastifyReply, headers(values: Headers): FastifyReply,
 *   send(body: string): unknown }} FastifyReply
 * @typedef {{ req: { raw: Request }, set(key: any, value: any): void,
 *   body(body: string, status: any, headers: Headers): Response }} HonoContext
 * @typedef {Record<string, string>} Headers
 *
 * @typedef {import("./guard.js").Guard} Guard
 * @typedef {import("./options.js").Requirements} Requirements
 */

/** @param {Guard} guard @param {Requirements} [given] */
export function express(guard, given) {
  const requirements = readRequirements(given);
  /** @param {NodeRequest} req @param {NodeResponse} res @param {(error?: unknown) => void} next */
  return async (req, res, next) => {
    let admitted;
    try {
      admitted = await guard.admit(viewOf(req), requirements);
    } catch (error) {
      return void next(error);
    }
    const { user, refusal } = admitted;
    if (refusal) return void res.writeHead(refusal.status, refusal.headers).end(refusal.body);
    Object.assign(req, { user });
    next();
  };
}

/** @param {Guard} guard @param {Requirements} [given] */
export function fastify(guard, given) {
  const requirements = readRequirements(given);
  /** @param {{ raw: NodeRequest }} request @param {FastifyReply} reply @returns {Promise<unknown>} */
  return async (request, reply) => {
    const { user, refusal } = await guard.admit(viewOf(request.raw), requirements);
    if (refusal) return reply.code(refusal.status).headers(refusal.headers).send(refusal.body);
    return void Object.assign(request, { user });
  };
}

/** @param {Guard} guard @param {Requirements} [given] */
export function hono(guard, given) {
  const requirements = readRequirements(given);
  /** @param {HonoContext} c @param {() => Promise<void>} next @returns {Promise<Response | void>} */
  return async (c, next) => {
    const { method, headers } = c.req.raw;
    const request = { method, header: (/** @type {string} */ name) => headers.get(name) ?? undefined };
    const { user, refusal } = await guard.admit(request, requirements);
    if (refusal) return c.body(refusal.body, refusal.status, refusal.headers);
    c.set("user", user);
    return next();
  };
}
