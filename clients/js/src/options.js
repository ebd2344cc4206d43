/**
 * @typedef {object} Options
 * @property {string} issuer Latchkey's URL, as its TOKEN_ISSUER or PUBLIC_URL has it
 * @property {string} [audience] its TOKEN_AUDIENCE, if that is set; default: the issuer
 * @property {string} [apiKey] a key with the scope `revocations:read`. With it, tokens of ended sessions are refused
 *   within a second; without it, they hold until they expire
 * @property {"accept" | "refuse"} [whenStale] what happens while Latchkey has not told of ended sessions for over 10
 *   seconds: "accept" (default) accepts tokens until they expire, "refuse" answers 503
 * @property {string[]} [origins] other origins whose pages may send requests that change something
 * @property {string} [cookieName] name of the access cookie, with its prefix; default: `accessToken`
 * @property {string} [jwksUrl] where to fetch the keys, if not below the issuer, such as an inner address. Ended
 *   sessions are followed at the same address
 * @property {boolean} [allowHttp] allows `jwksUrl` to be http. Use it only inside a network that you trust
 */

/**
 * What a route asks of its user.
 *
 * @typedef {object} Requirements
 * @property {string} [role] the user's role, such as "admin"; others get 403
 * @property {number} [maxAge] seconds since the user last proved who they are; later: 403 REAUTHENTICATION_REQUIRED
 * @property {string[]} [amr] methods that the sign-in included, such as ["mfa"]; else 403 REAUTHENTICATION_REQUIRED
 */

/** @type {Record<keyof Options, (value: any) => boolean>} */
const OPTIONS = {
  issuer: isText,
  audience: isText,
  apiKey: isText,
  whenStale: (value) => value === "accept" || value === "refuse",
  origins: (value) => Array.isArray(value) && value.every(isOrigin),
  cookieName: isText,
  jwksUrl: isText,
  allowHttp: (value) => typeof value === "boolean",
};

/** @type {Record<keyof Requirements, (value: any) => boolean>} */
const REQUIREMENTS = {
  role: isText,
  maxAge: (value) => Number.isFinite(value) && value >= 0,
  amr: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
};

/**
 * Returns the options with their defaults. Throws TypeError for what is missing, unknown or wrong.
 *
 * @param {Options} given
 */
export function readOptions(given) {
  // Without undefined ones, so that options can come from the environment.
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  const options = /** @type {Options} */ (Object.fromEntries(set));
  check(options, OPTIONS, "latchkey()");
  const { issuer, audience = issuer, apiKey, whenStale = "accept", origins = [], cookieName = "accessToken" } = options;
  if (!issuer) throw new TypeError("latchkey() needs issuer, such as https://accounts.example.com");
  if (whenStale === "refuse" && !apiKey) throw new TypeError('latchkey(): whenStale: "refuse" needs apiKey');
  if (options.allowHttp && !options.jwksUrl) throw new TypeError("latchkey(): allowHttp is for jwksUrl only");
  const jwksUrl = readUrl(options.jwksUrl ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`, options.allowHttp);
  const revocationsUrl = new URL("../revocations", jwksUrl);
  return { issuer, audience, apiKey, whenStale, origins: new Set(origins), cookieName, jwksUrl, revocationsUrl };
}

/**
 * Returns what a route asks. Throws TypeError for what is unknown or wrong: a misspelt `role` must not open the route.
 *
 * @param {Requirements} given
 * @returns {Requirements}
 */
export function readRequirements(given = {}) {
  check(given, REQUIREMENTS, "a route");
  return { ...given };
}

/**
 * @param {object} given
 * @param {Record<string, (value: any) => boolean>} known
 * @param {string} where
 */
function check(given, known, where) {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) {
      throw new TypeError(`${where} has no option ${name}. It has ${Object.keys(known).join(", ")}`);
    }
    if (!known[name]?.(value)) throw new TypeError(`${name} of ${where} cannot be ${JSON.stringify(value)}`);
  }
}

/**
 * @param {string} text
 * @param {boolean} [allowHttp]
 */
function readUrl(text, allowHttp = false) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && (isLocal || allowHttp))) return url;
  throw new TypeError(`${text} must be an https URL. For an inner address, set jwksUrl and allowHttp: true`);
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string" && value !== "";
}

/** @param {unknown} value */
function isOrigin(value) {
  // The URL parser takes a `*` for a part of a name, and would make a pattern look accepted.
  return typeof value === "string" && URL.canParse(value) && new URL(value).origin === value && !value.includes("*");
}
