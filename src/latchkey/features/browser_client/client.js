// The browser client of Latchkey: one ES module without dependencies; docs/client.md says how to use it.
// The tokens are in httpOnly cookies that no script can read: this only knows when it is time for new ones.

/** @typedef {{ id: number, name: string, email: string }} User */
/** @typedef {{ id: string, createdAt: string, lastUsedAt: string, ip: string | null, userAgent: string | null,
 *   device: string | null, current: boolean }} Session */
/** @typedef {{ message?: string, code?: string, errors?: { field: string, message: string }[] }} Refusal */

const SAFE = ["GET", "HEAD", "OPTIONS"];
// A 401 of these is about what they were given; new tokens would not help.
const NEVER_RENEWED = ["/auth/login", "/auth/logout", "/auth/refresh-token"];
const SETS_COOKIES = [...NEVER_RENEWED, "/auth/change-password"];
const RENEWABLE = ["UNAUTHORIZED", "INVALID_TOKEN", "TOKEN_EXPIRED"];

/** An answer that is no success; its message names the bad fields, if the server did. The server not being reached is
 * fetch's own TypeError instead. */
export class LatchkeyError extends Error {
  /** @param {number} status @param {Refusal} refusal @param {number} [retryAfter] */
  constructor(status, { message, code, errors }, retryAfter) {
    const fields = Array.isArray(errors) ? errors : [];
    const named = fields.map((bad) => `${bad.field}: ${bad.message}`).join("; ");
    super((code === "VALIDATION_ERROR" && named) || (message ?? `Unexpected answer ${status}`));
    this.name = "LatchkeyError";
    this.status = status;
    /** The code of docs/contract.md; empty if something between here and Latchkey answered. */
    this.code = code ?? "";
    /** One entry for each bad field. */
    this.errors = fields;
    /** Seconds to wait before trying again, if the server said so. */
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

// Not written inside `new URL(".", …)`: bundlers would take that for a file to pack.
const here = import.meta.url;

/** Finds Latchkey's own URL, with a slash at its end. @param {string | undefined} baseUrl @returns {string} */
function findBase(baseUrl) {
  try {
    const url = baseUrl ? new URL(baseUrl, globalThis.location?.href) : new URL(".", here);
    if (/^https?:$/.test(url.protocol)) return url.href.replace(/\/*$/, "/");
  } catch {
    // Relative, where no page says what it is relative to.
  }
  throw new TypeError("createClient needs an absolute baseUrl here, such as https://accounts.example.com");
}

/** Makes a client of the Latchkey that served this file, or of the one at `baseUrl`. Until its first use it does
 * nothing and asks for nothing of a browser: modules that make one load on a server and in tests, too.
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

  /** @returns {BroadcastChannel | undefined} to the other tabs; undefined where there can be none */
  function channel() {
    try {
      if (!openChannel) {
        openChannel = new BroadcastChannel(storageKey());
        openChannel.onmessage = tellListeners;
        // In Node an open channel would keep the process from ending.
        /** @type {any} */ (openChannel).unref?.();
      }
    } catch {
      // No such thing here, or no base: whoever calls Latchkey is told.
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

  // How often the cookies have changed, shared by all tabs: below zero once nobody is signed in, zero when unknown.
  // A count that comes late from another process costs a refresh, nothing else: the lock keeps them apart.
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
      // Storage is blocked: this tab counts for itself.
    }
  }

  /** Runs `work` while no other tab does the like; without Web Locks, no other caller in this tab.
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

  /** One request of ours; sent again with a new CSRF token if that was what was wrong.
   * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<Response>} */
  async function exchange(method, path, body) {
    for (let tries = 0; ; tries++) {
      const headers = new Headers(body === undefined ? {} : { "Content-Type": "application/json" });
      const token = SAFE.includes(method) ? undefined : (csrf ??= fetchCsrfToken());
      // One that could not be fetched is not kept.
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

  /** Gets new tokens unless the cookies have changed since `seen`, or are about to; whether it did. Rejects if there
   * are none to get: refused means that nobody is signed in, failed does not. @param {number} seen */
  function renew(seen) {
    const work = async () => {
      const now = epoch();
      if (now !== seen && now < 0) throw new LatchkeyError(401, { code: "UNAUTHORIZED", message: "Unauthorized" });
      if (now !== seen) return false;
      const response = await exchange("POST", "/auth/refresh-token");
      if (response.ok) return true;
      if (response.status === 401) changed(-1);
      // Told once: the refused cookie stays, and a page that reloads when it is told would do so for ever.
      if (response.status === 401 && now > 0) signedOut();
      throw await errorOf(response);
    };
    // Who finds the lock taken waits and leaves it at that: another process may learn of the new count after the lock.
    const locked = async () =>
      (await locks().request(lockName(), { ifAvailable: true }, async (held) => held && (await work()))) ??
      exclusively(async () => false);
    return (renewal ??= (locks() ? locked() : exclusively(work)).finally(() => (renewal = undefined)));
  }

  /** Makes `attempt`, and again with new tokens if it lacked them. @param {() => Promise<Response>} attempt */
  async function renewing(attempt) {
    for (let renewed = false; ; ) {
      const seen = epoch();
      const response = await attempt();
      if (response.status !== 401 || renewed) return response;
      // An API of the app's own may answer without a code.
      const { code } = await refusalIn(response);
      if (code !== undefined && !RENEWABLE.includes(code)) return response;
      renewed = await renew(seen);
    }
  }

  /** Calls Latchkey and returns `data` of its answer. Throws LatchkeyError for a refusal, as every method here does.
   * @param {string} method in capitals @param {`/${string}`} path @param {unknown} [body] @returns {Promise<any>} */
  const request = async (method, path, body) => (await answer(method, path, body)).data;

  /** As `request`, but returns the whole answer. @param {string} method @param {string} path @param {unknown} [body]
   * @returns {Promise<any>} */
  async function answer(method, path, body) {
    const send = () => exchange(method, path, body);
    const attempt = SETS_COOKIES.includes(path) ? () => exclusively(send) : send;
    const response = await (NEVER_RENEWED.includes(path) ? attempt() : renewing(attempt));
    if (!response.ok) throw await errorOf(response);
    if (path === "/auth/logout") signedOut();
    return response.json();
  }

  /** @returns {Promise<Session[]>} where this user is signed in: every page of the list */
  async function sessions() {
    const found = [];
    for (let cursor = ""; ; ) {
      const { data, meta } = await answer("GET", `/auth/sessions${cursor && `?cursor=${cursor}`}`);
      found.push(...data);
      // An older Latchkey answers with all of them, and without meta.
      if (!(cursor = meta?.nextCursor)) return found;
    }
  }

  /** @param {unknown} error @returns {null | Promise<never>} */
  const nullIfSignedOut = (error) =>
    error instanceof LatchkeyError && error.status === 401 ? null : Promise.reject(error);

  /** @returns {Promise<User | null>} who is signed in, or null */
  async function me() {
    const seen = epoch();
    const user = await request("GET", "/auth/me").catch(nullIfSignedOut);
    // Signed in without this client: from now on it is worth telling when that ends.
    if (user && seen <= 0 && epoch() === seen) changed(1);
    return user;
  }

  /** Fetches from the app's own API on Latchkey's host, as fetch does, with the cookies; a 401 gets new tokens and is
   * tried again once, but for a body that is a stream: that can be read only once.
   * @param {RequestInfo | URL} input @param {RequestInit} [init] @returns {Promise<Response>} */
  function fetch(input, init) {
    const fresh = () => (input instanceof Request ? input.clone() : input); // A Request is spent by sending it.
    const attempt = () => globalThis.fetch(fresh(), { ...init, credentials: "include" });
    return init?.body instanceof ReadableStream ? attempt() : renewing(attempt);
  }

  return {
    request,
    fetch,
    me,
    /** @param {{ name: string, email: string, password: string }} account @returns {Promise<User>} not signed in yet */
    register: async (account) => (await request("POST", "/auth/register", account)).user,
    /** @param {{ email: string, password: string }} credentials @returns {Promise<User>} */
    login: async (credentials) => (await request("POST", "/auth/login", credentials)).user,
    /** Signs out here and in every tab; that nobody was signed in is no error. @returns {Promise<void>} */
    logout: () => request("POST", "/auth/logout").catch(nullIfSignedOut),
    /** @param {{ currentPassword: string, newPassword: string }} passwords @returns {Promise<void>} */
    changePassword: (passwords) => request("POST", "/auth/change-password", passwords),
    /** @param {{ email: string }} account @returns {Promise<void>} */
    forgotPassword: (account) => request("POST", "/auth/forgot-password", account),
    /** @param {{ token: string, newPassword: string }} reset @returns {Promise<void>} */
    resetPassword: (reset) => request("POST", "/auth/reset-password", reset),
    /** Asks for a link that proves the address. @param {{ email: string }} account @returns {Promise<void>} */
    requestVerification: (account) => request("POST", "/auth/verify-email/request", account),
    /** @param {{ token: string }} proof of a link in a mail @returns {Promise<void>} */
    verifyEmail: (proof) => request("POST", "/auth/verify-email", proof),
    sessions,
    /** @param {string} id @returns {Promise<void>} */
    endSession: (id) => request("DELETE", `/auth/sessions/${encodeURIComponent(id)}`),
    /** @returns {Promise<number>} how many ended */
    endOtherSessions: async () => (await request("DELETE", "/auth/sessions")).ended,
    /** Calls back, in every tab, when whoever was signed in no longer is.
     * @param {() => void} callback @returns {() => void} stops that */
    onSignedOut(callback) {
      listeners.add(callback);
      channel();
      return () => void listeners.delete(callback);
    },
    /** Forgets the callbacks of `onSignedOut` and no longer listens to other tabs. */
    close() {
      listeners.clear();
      openChannel?.close();
      openChannel = undefined;
    },
  };
}
