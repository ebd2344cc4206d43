import { LatchkeyError } from "./refusal.js";
import { Remembered } from "./remembered.js";
import { readHeader, readUser } from "./token.js";

const REMEMBERED_MAX = 10_000;

/**
 * @typedef {import("./token.js").User} User
 * @typedef {{ user: User, key: import("./keys.js").Key }} Genuine
 */

/** Verifies access tokens. */
export class Verifier {
  #expected;
  #keys;
  #revocations;
  #clock;
  #remembered = /** @type {Remembered<Genuine>} */ (new Remembered(REMEMBERED_MAX));

  /**
   * @param {{ issuer: string, audience: string, log: import("./log.js").Log, keys: import("./keys.js").KeySet,
   *   revocations: import("./revocations.js").Revocations | undefined, clock: () => number }} options
   */
  constructor({ keys, revocations, clock, ...expected }) {
    this.#expected = expected;
    this.#keys = keys;
    this.#revocations = revocations;
    this.#clock = clock;
  }

  /**
   * Returns the user of an access token. Rejects with INVALID_TOKEN, TOKEN_EXPIRED or SERVICE_UNAVAILABLE.
   *
   * @param {string} token
   * @returns {Promise<User>}
   */
  async verify(token) {
    const remembered = this.#remembered.get(token);
    // The key is looked up every time, so that the tokens of a retired key are refused.
    const isGenuine = remembered && (await this.#keys.find(remembered.key.kid)) === remembered.key;
    const genuine = isGenuine ? remembered : await this.#readGenuine(token);
    if (Number(genuine.user.claims.exp) * 1000 <= this.#clock()) {
      this.#remembered.delete(token);
      throw new LatchkeyError("TOKEN_EXPIRED");
    }
    this.#revocations?.check(genuine.user.sessionId);
    // The signature is verified once: it takes longer than all the rest.
    if (!isGenuine) this.#remembered.set(token, genuine);
    // A copy, because apps add properties to it.
    return { ...genuine.user };
  }

  /** @param {string} token @returns {Promise<Genuine>} */
  async #readGenuine(token) {
    const { kid, typ } = readHeader(token);
    const key = await this.#keys.find(kid);
    if (!key) throw new LatchkeyError("INVALID_TOKEN", `its kid is unknown: ${kid}`);
    if (typ !== "at+jwt") throw new LatchkeyError("INVALID_TOKEN", "it is no access token");
    return { user: await readUser(token, key, { ...this.#expected, now: this.#clock() }), key };
  }
}
