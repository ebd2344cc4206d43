import { importJWK } from "jose";
import { getJson } from "./get_json.js";
import { LatchkeyError } from "./refusal.js";

const FRESH_MS = 10 * 60_000;
const KEPT_MS = 24 * 3_600_000;
const RETRY_MS = 30_000;
/** Without any key every request is refused, so the next try comes sooner: Latchkey may still be starting. */
const RETRY_WITHOUT_KEYS_MS = 1_000;
const LIMITS = { seconds: 5, maxBytes: 65_536 };
/** What Latchkey signs with. A key of another algorithm is skipped. Ed25519 is the newer name of EdDSA (RFC 9864). */
const ALGORITHMS = ["ES256", "EdDSA", "Ed25519"];

/** @typedef {{ kid: string, alg: string, key: import("jose").CryptoKey | Uint8Array, source: string }} Key */

/** The public keys of a Latchkey, fetched from its JWKS (RFC 7517) when they are needed. */
export class KeySet {
  #url;
  #clock;
  #log;
  #keys = /** @type {Map<string, Key>} */ (new Map());
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #failed = false;
  /** @type {Promise<void> | undefined} */
  #fetching;

  /** @param {{ url: URL, clock: () => number, log: import("./log.js").Log }} options `clock`: in milliseconds */
  constructor({ url, clock, log }) {
    this.#url = url;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Returns the key with this kid, or undefined. Throws SERVICE_UNAVAILABLE while no keys are known.
   *
   * @param {unknown} kid
   */
  async find(kid) {
    if (this.#clock() - this.#fetchedAt >= FRESH_MS) {
      const fetching = this.#fetch();
      // While Latchkey does not answer and older keys are left, no request waits for it.
      if (!this.#failed || !this.#hasKeys()) await fetching;
    }
    if (typeof kid === "string" && !this.#keys.has(kid)) await this.#fetch();
    if (!this.#hasKeys()) throw new LatchkeyError("SERVICE_UNAVAILABLE", `no keys from ${this.#url}`);
    return typeof kid === "string" ? this.#keys.get(kid) : undefined;
  }

  #hasKeys() {
    return this.#keys.size > 0 && this.#clock() - this.#fetchedAt < KEPT_MS;
  }

  /** Fetches the keys, unless that was tried a moment ago. All requests share one fetch. It does not reject. */
  async #fetch() {
    const pause = this.#hasKeys() ? RETRY_MS : RETRY_WITHOUT_KEYS_MS;
    if (!this.#fetching && this.#clock() - this.#triedAt < pause) return;
    this.#fetching ??= this.#replaceKeys().finally(() => (this.#fetching = undefined));
    await this.#fetching;
  }

  async #replaceKeys() {
    this.#triedAt = this.#clock();
    try {
      this.#keys = await this.#import(await getJson(this.#url, LIMITS));
      this.#fetchedAt = this.#clock();
      this.#failed = false;
      if (!this.#keys.size) this.#log(`${this.#url} lists no keys. Run \`latchkey keys init\` where Latchkey runs`);
    } catch (error) {
      this.#failed = true;
      this.#log(`cannot fetch the keys from ${this.#url}: ${error}`);
    }
  }

  /**
   * Returns the usable keys of a JWKS. Others are skipped, so that one key of a new kind does not disable the rest.
   *
   * @param {any} jwks
   */
  async #import(jwks) {
    if (!Array.isArray(jwks?.keys)) throw new Error("it is no JWKS");
    const keys = /** @type {Map<string, Key>} */ (new Map());
    for (const jwk of jwks.keys) {
      const known = this.#keys.get(jwk?.kid);
      const key = known && known.source === JSON.stringify(jwk) ? known : await importKey(jwk);
      if (key && !keys.has(key.kid)) keys.set(key.kid, key);
    }
    return keys;
  }
}

/**
 * Returns a public key for signatures, or undefined for any other JWK.
 *
 * @param {any} jwk
 * @returns {Promise<Key | undefined>}
 */
async function importKey(jwk) {
  const { kid, alg, use = "sig", kty, crv, x, y, d, k } = jwk ?? {};
  if (typeof kid !== "string" || !kid || !ALGORITHMS.includes(alg) || use !== "sig") return undefined;
  // A private or symmetric key in public can sign for everybody.
  if (d !== undefined || k !== undefined) return undefined;
  try {
    const key = await importJWK(kty === "EC" ? { kty, crv, x, y } : { kty, crv, x }, alg);
    return { kid, alg, key, source: JSON.stringify(jwk) };
  } catch {
    return undefined;
  }
}
