import { answerTo, LatchkeyError } from "./refusal.js";
import { crossSiteCause, findToken } from "./request.js";

/**
 * @typedef {import("./token.js").User} User
 * @typedef {import("./request.js").Request} Request
 * @typedef {import("./options.js").Requirements} Requirements
 * @typedef {ReturnType<typeof answerTo>} Answer
 */

/** Admits requests to routes. */
export class Guard {
  #verifier;
  #cookieName;
  #origins;
  #clock;
  #log;

  /**
   * @param {{ verifier: import("./verifier.js").Verifier, cookieName: string, origins: ReadonlySet<string>,
   *   clock: () => number, log: import("./log.js").Log }} options
   */
  constructor({ verifier, cookieName, origins, clock, log }) {
    this.#verifier = verifier;
    this.#cookieName = cookieName;
    this.#origins = origins;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Returns the user of a request, or the answer that refuses it.
   *
   * @param {Request} request
   * @param {Requirements} requirements
   * @returns {Promise<{ user: User, refusal?: undefined } | { user?: undefined, refusal: Answer }>}
   */
  async admit(request, requirements) {
    const found = findToken(request, this.#cookieName);
    try {
      if ("refusal" in found) throw new LatchkeyError(found.refusal);
      if (!found.isBearer) this.#refuseCrossSite(request);
      const user = await this.#verifier.verify(found.token);
      this.#refuseUnlessMet(user, requirements);
      return { user };
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error;
      return { refusal: answerTo(error, { isBearer: found.isBearer, maxAge: requirements.maxAge }) };
    }
  }

  /** @param {Request} request */
  #refuseCrossSite(request) {
    const cause = crossSiteCause(request, this.#origins);
    if (!cause) return;
    this.#log(`a request was refused: ${cause}`);
    throw new LatchkeyError("FORBIDDEN", cause);
  }

  /**
   * @param {User} user
   * @param {Requirements} requirements
   */
  #refuseUnlessMet(user, { role, maxAge, amr = [] }) {
    if (role !== undefined && user.role !== role) throw new LatchkeyError("FORBIDDEN", `the role is ${user.role}`);
    const age = this.#clock() / 1000 - (user.authTime ?? -Infinity);
    if (age > (maxAge ?? Infinity)) throw new LatchkeyError("REAUTHENTICATION_REQUIRED", `${age} seconds ago`);
    const missing = amr.filter((method) => !user.amr.includes(method));
    if (missing.length) throw new LatchkeyError("REAUTHENTICATION_REQUIRED", `amr lacks ${missing}`);
  }
}
