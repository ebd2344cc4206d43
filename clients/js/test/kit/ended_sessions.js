import { sendJson } from "./issuer.js";

/** Answers GET /revocations as Latchkey does: waits, hands out cursors, and lists each id once for each cursor. */
export class EndedSessions {
  /** @type {string[]} */
  #ids = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();
  pageSize = 10_000;
  key = "lk_test";
  otherKey = "lk_other";
  /** The API keys of the requests so far. @type {unknown[]} */
  asked = [];

  /** @param {string[]} ids */
  end(...ids) {
    this.#ids.push(...ids);
    for (const look of [...this.#waiting]) look();
  }

  get waiting() {
    return this.#waiting.size;
  }

  /** @type {import("./issuer.js").Answer} */
  answer = (request, response, url) => {
    const since = url.searchParams.get("since");
    const key = String(request.headers["x-api-key"]);
    this.asked.push(key);
    if (![this.key, this.otherKey].includes(key)) return sendJson(response, { code: "INVALID_API_KEY" }, 401);
    if (since !== null && !/^at \d+$/.test(since)) return sendJson(response, { code: "VALIDATION_ERROR" }, 400);
    const start = Number(since?.slice(3) ?? 0);
    const look = () => {
      const sessions = this.#ids.slice(start, start + this.pageSize);
      if (!sessions.length && !isOver) return;
      clearTimeout(timer);
      this.#waiting.delete(look);
      const end = start + sessions.length;
      sendJson(response, { success: true, data: { sessions, cursor: `at ${end}`, more: end < this.#ids.length } });
    };
    let isOver = false;
    const timer = setTimeout(() => ((isOver = true), look()), Number(url.searchParams.get("wait")) * 1000);
    response.on("close", () => (clearTimeout(timer), this.#waiting.delete(look)));
    this.#waiting.add(look);
    look();
  };
}
