import http from "node:http";
import https from "node:https";

/** An answer other than 200. Redirects are not followed. */
export class UnexpectedStatus extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`it answered ${status}`);
    this.status = status;
  }
}

/**
 * Returns the JSON at `url`. Rejects for any other status than 200, and when the answer is larger than `maxBytes` or
 * not complete within `seconds`.
 *
 * `inBackground`: the request does not keep the process running. `fetch` cannot do this.
 *
 * @param {URL} url
 * @param {{ seconds: number, maxBytes: number, headers?: Record<string, string>, inBackground?: boolean }} options
 * @returns {Promise<unknown>}
 */
export function getJson(url, { seconds, maxBytes, headers = {}, inBackground = false }) {
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(seconds * 1000);
    const sent = request(url, { headers: { Accept: "application/json", ...headers }, signal }, (response) => {
      read(response, maxBytes).then(resolve, (error) => {
        sent.destroy();
        reject(error);
      });
    });
    if (inBackground) sent.on("socket", (socket) => socket.unref());
    sent.on("error", reject);
    sent.end();
  });
}

/**
 * @param {http.IncomingMessage} response
 * @param {number} maxBytes
 * @returns {Promise<unknown>}
 */
async function read(response, maxBytes) {
  if (response.statusCode !== 200) throw new UnexpectedStatus(Number(response.statusCode));
  const chunks = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`its answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}
