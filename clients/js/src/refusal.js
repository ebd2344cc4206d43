/** Seconds, as Latchkey itself sends them. */
const RETRY_AFTER = "2";

/** Status and message of each code, as Latchkey itself answers. */
const REFUSALS = /** @type {const} */ ({
  UNAUTHORIZED: [401, "Unauthorized"],
  INVALID_TOKEN: [401, "Invalid token"],
  TOKEN_EXPIRED: [401, "Token expired"],
  AMBIGUOUS_CREDENTIALS: [401, "Send cookies, a bearer token or an API key, not two"],
  FORBIDDEN: [403, "You are not allowed to perform this action"],
  REAUTHENTICATION_REQUIRED: [403, "Confirm that it is you"],
  SERVICE_UNAVAILABLE: [503, "Service temporarily unavailable"],
});

/**
 * A refused token or request. `cause` says why, for logs; it is never sent.
 *
 * @typedef {keyof typeof REFUSALS} Code
 */
export class LatchkeyError extends Error {
  /**
   * @param {Code} code
   * @param {unknown} [cause]
   */
  constructor(code, cause) {
    super(REFUSALS[code][1], { cause });
    this.name = "LatchkeyError";
    this.code = code;
    /** The HTTP status. */
    this.status = REFUSALS[code][0];
  }
}

/**
 * Returns the answer to a refused request. Its body is Latchkey's envelope, which the browser client understands.
 *
 * @param {LatchkeyError} error
 * @param {{ isBearer: boolean, maxAge?: number | undefined }} request `maxAge`: of the route, in seconds
 */
export function answerTo({ status, code, message }, { isBearer, maxAge }) {
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store" };
  if (status === 503) headers["Retry-After"] = RETRY_AFTER;
  else if (isBearer) headers["WWW-Authenticate"] = challenge(code, status, maxAge);
  // Every 401 has a challenge (RFC 9110 section 15.5.2).
  else if (status === 401) headers["WWW-Authenticate"] = "Bearer";
  return { status, headers, body: JSON.stringify({ success: false, message, code }) };
}

/**
 * Returns the challenge to a client that sent a bearer token (RFC 6750 section 3, RFC 9470 section 3).
 *
 * @param {Code} code
 * @param {number} status
 * @param {number} [maxAge]
 */
function challenge(code, status, maxAge) {
  if (status === 401) return 'Bearer error="invalid_token"';
  if (code !== "REAUTHENTICATION_REQUIRED") return "Bearer";
  const age = maxAge === undefined ? "" : `, max_age=${maxAge}`;
  return `Bearer error="insufficient_user_authentication"${age}`;
}
