// The browser client of Latchkey: one ES module without dependencies; docs/client.md says how to use it.
// The tokens are in httpOnly cookies, which no script can read. This module only notices when they need to be renewed.

/** @typedef {{ id: number, name: string, email: string }} User */
/** @typedef {{ id: string, createdAt: string, lastUsedAt: string, ip: string | null, userAgent: string | null,
 *   device: string | null, transport: "cookie" | "bearer", current: boolean }} Session */
/** @typedef {{ message?: string, code?: string, errors?: { field: string, message: string }[] }} Refusal */

const SAFE = ["GET", "HEAD", "OPTIONS"];
// A 401 from these endpoints is about the credentials in the request. New tokens would not help.
const NEVER_RENEWED = ["/auth/login", "/auth/logout", "/auth/refresh-token"];
const SETS_COOKIES = [...NEVER_RENEWED, "/auth/change-password"];
const RENEWABLE = ["UNAUTHORIZED", "INVALID_TOKEN", "TOKEN_EXPIRED"];

/** A refusal. `message` names the bad fields if the server names them. When the server cannot be reached, calls reject
 * with fetch's own TypeError instead. */
export class LatchkeyError extends Error {
  /** @param {number} status @param {Refusal} refusal @param {number} [retryAfter] */
  constructor(status, { message, code, errors }, retryAfter) {
    const fields = Array.isArray(errors) ? errors : [];
    const named = fields.map((bad) => `${bad.field}: ${bad.message}`).join("; ");
    super((code === "VALIDATION_ERROR" && named) || (message ?? `Unexpected answer ${status}`));
    this.name = "LatchkeyError";
    this.status = status;
    /** A code of docs/contract.md. Empty if a proxy answered instead of Latchkey. */
    this.code = code ?? "";
    /** One entry for each bad field. */
    this.errors = fields;
    /** Seconds to wait before the next try, if the server names them. */
    this.retryAfter = retryAfter;
  }
}

/** @param {Response} response @returns {Promise<Refusal>} */
const refusalIn = async (response) => (await response.clone().json().catch(() => null)) ?? {};
/** @param {Response} response */
async function errorOf(response) {
  const seconds = Number(response.headers.get("Retry-After")) || undefined;
  return new LatchkeyError(response.status, await refusalIn(response), seconds);
}

// Not written inside `new URL(".", …)`: bundlers would take it for the name of a file to pack.
const here = import.meta.url;

/** Returns Latchkey's own URL, with a slash at its end. @param {string | undefined} baseUrl @returns {string} */
function findBase(baseUrl) {
  try {
    const url = baseUrl ? new URL(baseUrl, globalThis.location?.href) : new URL(".", here);
    if (/^https?:$/.test(url.protocol)) return url.href.replace(/\/*$/, "/");
  } catch {
    // A relative baseUrl, and no page to resolve it against.
  }
  throw new TypeError("createClient needs an absolute baseUrl here, such as https://accounts.example.com");
}

/** Returns a client of the Latchkey that served this file, or of the one at `baseUrl`. Until its first use the client
 * does nothing and needs no browser, so a module that makes one also loads on a server and in tests.
 * @param {{ baseUrl?: string }} [options] */
export function createClient({ baseUrl } = {}) {
  const listeners = /** @type {Set<() => void>} */ (new Set());
  /** @type {string | undefined} */
  let foundBase;
  /** @type {BroadcastChannel | undefined} */
  let openChannel;
  /** @type {Promise<string> | undefined} */
  let csrf;
  /** @type {Promise<boolean> | undefined} */
  let renewal;
  /** @type {Promise<any>} */
  let last = Promise.resolve();
  let remembered = 0;

  const base = () => (foundBase ??= findBase(baseUrl));
  const storageKey = () => `latchkey ${base()}`;
  const lockName = () => `latchkey refresh ${base()}`;
  const locks = () => globalThis.navigator?.locks;

  /** Returns the channel to the other tabs, or undefined without one. @returns {BroadcastChannel | undefined} */
  function channel() {
    try {
      if (!openChannel) {
        openChannel = new BroadcastChannel(storageKey());
        openChannel.onmessage = tellListeners;
        // In Node an open channel would keep the process running.
        /** @type {any} */ (openChannel).unref?.();
      }
    } catch {
      // No BroadcastChannel, or no base URL. A missing base URL is reported by the next call to Latchkey.
    }
    return openChannel;
  }

  function tellListeners() {
    listeners.forEach((listener) => listener());
  }

  function signedOut() {
    tellListeners();
    channel()?.postMessage("signed out");
  }

  // Returns how often the cookies have changed, in all tabs. Negative: nobody is signed in. Zero: unknown. If the count
  // of another process arrives late, one refresh too many is sent, which the lock keeps apart from the others.
  function epoch() {
    try {
      return Number(localStorage.getItem(storageKey())) || 0;
    } catch {
      return remembered;
    }
  }

  /** Counts a change of the cookies. @param {1 | -1} sign */
  function changed(sign) {
    remembered = sign * (Math.abs(epoch()) + 1);
    try {
      localStorage.setItem(storageKey(), String(remembered));
    } catch {
      // Storage is blocked. This tab keeps its own count.
    }
  }

  /** Runs `work` while no other tab runs such work. Without Web Locks it excludes only other calls in this tab.
   * @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async function exclusively(work) {
    return locks() ? await locks().request(lockName(), work) : (last = last.then(work, work));
  }

  /** @returns {Promise<string>} */
  async function fetchCsrfToken() {
    const response = await exchange("GET", "/auth/csrf-token");
    if (!response.ok) throw await errorOf(response);
    return (await response.json()).csrfToken;
  }

  /** Sends a request to Latchkey, and once more with a new CSRF token if the first one was refused.
   * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<Response>} */
  async function exchange(method, path, body) {
    for (let tries = 0; ; tries++) {
      const headers = new Headers(body === undefined ? {} : { "Content-Type": "application/json" });
      const token = SAFE.includes(method) ? undefined : (csrf ??= fetchCsrfToken());
      // A failed fetch of the token is not kept.
      if (token) headers.set("X-CSRF-Token", await token.catch((error) => ((csrf = undefined), Promise.reject(error))));
      const init = { method, headers, body: JSON.stringify(body), credentials: /** @type {const} */ ("include") };
      const response = await globalThis.fetch(base() + path.slice(1), init);
      if (response.ok && SETS_COOKIES.includes(path)) changed(path === "/auth/logout" ? -1 : 1);
      if (!token || tries || response.status !== 403) return response;
      if ((await refusalIn(response)).code !== "EBADCSRFTOKEN") return response;
      // Another call may have fetched a new one already.
      if (csrf === token) csrf = undefined;
    }
  }

  /** Gets new tokens, unless the cookies have changed since `seen` or another tab is changing them. Returns whether it
   * got them. Rejects if the server refuses (nobody is signed in) or fails. @param {number} seen */
  function renew(seen) {
    const work = async () => {
      const now = epoch();
      if (now !== seen && now < 0) throw new LatchkeyError(401, { code: "UNAUTHORIZED", message: "Unauthorized" });
      if (now !== seen) return false;
      const response = await exchange("POST", "/auth/refresh-token");
      if (response.ok) return true;
      if (response.status === 401) changed(-1);
      // Reported once. The refused cookie stays, so a page that reloads on each report would reload for ever.
      if (response.status === 401 && now > 0) signedOut();
      throw await errorOf(response);
    };
    // A tab that finds the lock taken only waits for it: another tab's process may see the new count after the lock.
    const locked = async () =>
      (await locks().request(lockName(), { ifAvailable: true }, async (held) => held && (await work()))) ??
      exclusively(async () => false);
    return (renewal ??= (locks() ? locked() : exclusively(work)).finally(() => (renewal = undefined)));
  }

  /** Runs `attempt`, and again with new tokens if they may cure its 401. @param {() => Promise<Response>} attempt */
  async function renewing(attempt) {
    for (let renewed = false; ; ) {
      const seen = epoch();
      const response = await attempt();
      if (response.status !== 401 || renewed) return response;
      // The app's own API may answer without a code.
      const { code } = await refusalIn(response);
      if (code !== undefined && !RENEWABLE.includes(code)) return response;
      renewed = await renew(seen);
    }
  }

  /** Calls Latchkey and returns `data` of its answer. Throws LatchkeyError for a refusal, as all methods do.
   * @param {string} method in capitals @param {`/${string}`} path @param {unknown} [body] @returns {Promise<any>} */
  const request = async (method, path, body) => (await answer(method, path, body)).data;

  /** Does as `request`, but returns the whole answer.
   * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
  async function answer(method, path, body) {
    const send = () => exchange(method, path, body);
    const attempt = SETS_COOKIES.includes(path) ? () => exclusively(send) : send;
    const response = await (NEVER_RENEWED.includes(path) ? attempt() : renewing(attempt));
    if (!response.ok) throw await errorOf(response);
    if (path === "/auth/logout") signedOut();
    return response.json();
  }

  /** Returns all sessions of this user, from every page of the list. @returns {Promise<Session[]>} */
  async function sessions() {
    const found = [];
    for (let cursor = ""; ; ) {
      const { data, meta } = await answer("GET", `/auth/sessions${cursor && `?cursor=${cursor}`}`);
      found.push(...data);
      // An older Latchkey answers with all sessions and without meta.
      if (!(cursor = meta?.nextCursor)) return found;
    }
  }

  /** @param {unknown} error @returns {null | Promise<never>} */
  const nullIfSignedOut = (error) =>
    error instanceof LatchkeyError && error.status === 401 ? null : Promise.reject(error);

  /** Returns the user who is signed in, or null. @returns {Promise<User | null>} */
  async function me() {
    const seen = epoch();
    const user = await request("GET", "/auth/me").catch(nullIfSignedOut);
    // The user signed in without this client. Counted, so that the end of the session is reported.
    if (user && seen <= 0 && epoch() === seen) changed(1);
    return user;
  }

  /** Fetches from the app's own API on Latchkey's host, as fetch does, with the cookies. After a 401 it gets new tokens
   * and tries once more, except with a body that is a stream, which can be read only once.
   * @param {RequestInfo | URL} input @param {RequestInit} [init] @returns {Promise<Response>} */
  function fetch(input, init) {
    const fresh = () => (input instanceof Request ? input.clone() : input); // A Request can be sent only once.
    const attempt = () => globalThis.fetch(fresh(), { ...init, credentials: "include" });
    return init?.body instanceof ReadableStream ? attempt() : renewing(attempt);
  }

  return {
    request,
    fetch,
    me,
    /** Signs nobody in. @param {{ name: string, email: string, password: string }} account @returns {Promise<User>} */
    register: async (account) => (await request("POST", "/auth/register", account)).user,
    /** With `remember: false` the browser forgets the session when it closes.
     * @param {{ email: string, password: string, remember?: boolean }} credentials @returns {Promise<User>} */
    login: async (credentials) => (await request("POST", "/auth/login", credentials)).user,
    /** Signs out in every tab. It is no error if nobody was signed in. @returns {Promise<void>} */
    logout: () => request("POST", "/auth/logout").catch(nullIfSignedOut),
    /** @param {{ currentPassword: string, newPassword: string }} passwords @returns {Promise<void>} */
    changePassword: (passwords) => request("POST", "/auth/change-password", passwords),
    /** @param {{ email: string }} account @returns {Promise<void>} */
    forgotPassword: (account) => request("POST", "/auth/forgot-password", account),
    /** @param {{ token: string, newPassword: string }} reset @returns {Promise<void>} */
    resetPassword: (reset) => request("POST", "/auth/reset-password", reset),
    /** Requests a mail with a link that verifies it. @param {{ email: string }} account @returns {Promise<void>} */
    requestVerification: (account) => request("POST", "/auth/verify-email/request", account),
    /** @param {{ token: string }} proof the token of the link @returns {Promise<void>} */
    verifyEmail: (proof) => request("POST", "/auth/verify-email", proof),
    sessions,
    /** @param {string} id @returns {Promise<void>} */
    endSession: (id) => request("DELETE", `/auth/sessions/${encodeURIComponent(id)}`),
    /** @returns {Promise<number>} how many ended */
    endOtherSessions: async () => (await request("DELETE", "/auth/sessions")).ended,
    /** Calls `callback` in every tab when the user is no longer signed in. Returns a function that stops this.
     * @param {() => void} callback @returns {() => void} */
    onSignedOut(callback) {
      listeners.add(callback);
      channel();
      return () => void listeners.delete(callback);
    },
    /** Forgets the callbacks of `onSignedOut` and stops listening to other tabs. */
    close() {
      listeners.clear();
      openChannel?.close();
      openChannel = undefined;
    },
  };
}
