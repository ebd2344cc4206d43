"use strict";

(() => {
  // This file is <root>/api-docs/init.js, whichever form of the page's address loaded it.
  const root = new URL("..", document.currentScript.src);
  const safeMethods = ["GET", "HEAD", "OPTIONS"];
  const tokenHeaders = ["x-csrf-token", "csrf-token"];

  // A CSRF token typed under "Authorize" is left alone, so that a refusal can be tried out too.
  const hasToken = (headers) =>
    Object.entries(headers).some(([name, value]) => value && tokenHeaders.includes(name.toLowerCase()));

  async function sendAsTheBrowserWould(request) {
    request.headers ??= {};
    // A bearer token goes without the cookies of the page: with both, Latchkey could not tell which one is meant.
    const hasBearer = Object.keys(request.headers).some((name) => name.toLowerCase() === "authorization");
    request.credentials = hasBearer ? "omit" : "same-origin";
    if (hasBearer) return request;
    const method = (request.method ?? "GET").toUpperCase();
    const ours = new URL(request.url, root).href.startsWith(root.href);
    if (!ours || safeMethods.includes(method) || hasToken(request.headers)) return request;

    const answer = await fetch(new URL("auth/csrf-token", root), { credentials: "same-origin" });
    // Without a token the request goes out all the same: its own answer (429, 503 …) is the one to show.
    if (answer.ok) request.headers["X-CSRF-Token"] = (await answer.json()).csrfToken;
    return request;
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const followColorScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", followColorScheme);
  followColorScheme();

  SwaggerUIBundle({
    dom_id: "#swagger-ui",
    url: new URL("openapi.json", root).href,
    requestInterceptor: sendAsTheBrowserWould,
    tryItOutEnabled: true,
    persistAuthorization: false,
    deepLinking: true,
    docExpansion: "list",
    displayRequestDuration: true,
    validatorUrl: null, // no badge: it would ask a server of the Swagger project
  });
})();
