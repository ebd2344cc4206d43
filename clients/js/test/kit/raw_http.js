import net from "node:net";

/**
 * Sends a request exactly as written, with headers that come twice, too. Returns the answer.
 *
 * @param {string} url
 * @param {{ method?: string, headers?: [string, string][] }} [request]
 */
export async function send(url, { method = "GET", headers = [] } = {}) {
  const { hostname, port, pathname } = new URL(url);
  const lines = [["Host", `${hostname}:${port}`], ["Connection", "close"], ["Content-Length", "0"], ...headers];
  const socket = net.connect(Number(port), hostname);
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // A character is a byte, as in headers.
  socket.write(`${method} ${pathname} HTTP/1.1\r\n${head}\r\n`, "latin1");
  let text = "";
  for await (const chunk of socket) text += chunk;
  const [start = "", body = ""] = text.split("\r\n\r\n");
  const [first = "", ...rest] = start.split("\r\n");
  const answered = new Headers(rest.map(pairOf));
  const isJson = answered.get("content-type")?.startsWith("application/json");
  return { status: Number(first.split(" ")[1]), headers: answered, json: isJson ? jsonOf(body) : undefined };
}

/** @param {string} line @returns {[string, string]} */
const pairOf = (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()];

/** @param {string} body @returns {any} */
function jsonOf(body) {
  // Chunked answers have lines with sizes around the object.
  const found = /\{.*\}/s.exec(body);
  return found ? JSON.parse(found[0]) : undefined;
}
