import { getJson, UnexpectedStatus } from "./get_json.js";
import { LatchkeyError } from "./refusal.js";

/** A new answer comes at least this often, so that a dead connection is noticed. */
const WAIT_SECONDS = 5;
const LIMITS = { seconds: WAIT_SECONDS + 5, maxBytes: 1_048_576, inBackground: true };
/** Longer than any access token lives. */
const REMEMBERED_MS = 61 * 60_000;
const BEHIND_MS = 10_000;
const PAUSE_MS = 200;
/** Latchkey answers at once, instead of waiting, when too many clients wait. */
const PAUSE_WITHOUT_WAITING_MS = 1_000;
/** Latchkey counts bad API keys for the address of the app, so a refused request is not repeated soon. */
const PAUSE_AFTER_REFUSAL_MS = 30_000;

/** Follows Latchkey's list of ended sessions. It never keeps the process running. */
export class Revocations {
  #url;
  #apiKey;
  #refusesWhenBehind;
  #clock;
  #log;
  #arrivals = /** @type {Map<string, number>} */ (new Map());
  #cursor = "";
  #heardAt = -Infinity;
  #isClosed = false;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {{ url: URL, apiKey: string, whenStale: "accept" | "refuse", clock: () => number,
   *   log: import("./log.js").Log }} options
   */
  constructor({ url, apiKey, whenStale, clock, log }) {
    this.#url = url;
    this.#apiKey = apiKey;
    this.#refusesWhenBehind = whenStale === "refuse";
    this.#clock = clock;
    this.#log = log;
    this.#schedule(0);
  }

  /**
   * Throws INVALID_TOKEN for a session that has ended, and SERVICE_UNAVAILABLE if that is not known and `whenStale` is
   * "refuse".
   *
   * @param {string} sessionId
   */
  check(sessionId) {
    if (this.#clock() - (this.#arrivals.get(sessionId) ?? -Infinity) < REMEMBERED_MS) {
      throw new LatchkeyError("INVALID_TOKEN", "its session has ended");
    }
    if (this.#refusesWhenBehind && this.#clock() - this.#heardAt > BEHIND_MS) {
      throw new LatchkeyError("SERVICE_UNAVAILABLE", "the list of ended sessions is not up to date");
    }
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** @param {number} pause milliseconds */
  #schedule(pause) {
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#poll(), pause).unref();
  }

  async #poll() {
    const began = this.#clock();
    try {
      const { sessions, more } = await this.#fetchPage();
      if (more) return this.#schedule(0);
      const waited = this.#clock() - began;
      this.#schedule(sessions.length ? PAUSE_MS : Math.max(PAUSE_MS, PAUSE_WITHOUT_WAITING_MS - waited));
    } catch (error) {
      this.#log(`cannot follow ended sessions at ${this.#url}: ${error}${adviceFor(error)}`);
      const status = error instanceof UnexpectedStatus ? error.status : 500;
      const dropsCursor = status === 400 && this.#cursor !== "";
      // Latchkey does not know the cursor. Without one, its answer begins an hour back.
      if (dropsCursor) this.#cursor = "";
      this.#schedule(status < 500 && !dropsCursor ? PAUSE_AFTER_REFUSAL_MS : PAUSE_WITHOUT_WAITING_MS);
    }
  }

  /** @returns {Promise<{ sessions: string[], more: boolean }>} */
  async #fetchPage() {
    const url = new URL(this.#url);
    url.searchParams.set("wait", String(WAIT_SECONDS));
    if (this.#cursor) url.searchParams.set("since", this.#cursor);
    const answer = /** @type {any} */ (await getJson(url, { ...LIMITS, headers: { "x-api-key": this.#apiKey } }));
    const { sessions, cursor, more } = answer?.data ?? {};
    if (!Array.isArray(sessions) || typeof cursor !== "string") throw new Error("it is no list of ended sessions");
    this.#remember(sessions);
    this.#cursor = cursor;
    if (!more) this.#heardAt = this.#clock();
    return { sessions, more };
  }

  /** @param {string[]} sessions */
  #remember(sessions) {
    const now = this.#clock();
    for (const id of sessions) {
      // Deleted first, so that the map stays in the order of arrival.
      this.#arrivals.delete(id);
      this.#arrivals.set(id, now);
    }
    for (const [id, arrival] of this.#arrivals) {
      if (now - arrival < REMEMBERED_MS) break;
      this.#arrivals.delete(id);
    }
  }
}

/** @param {unknown} error */
function adviceFor(error) {
  if (!(error instanceof UnexpectedStatus)) return "";
  if (error.status === 401) return ". The API key is unknown, expired or revoked";
  return error.status === 403 ? ". The API key needs the scope revocations:read" : "";
}
