"use strict";

(() => {
  // This file is <root>/<page>/page.js, with or without a slash at the end of the page's address.
  const root = new URL("..", document.currentScript.src);
  const form = document.getElementById("form");
  const outcome = document.getElementById("outcome");

  // Mail systems percent-encode what is behind "#", some of them twice, and put parameters or punctuation around it.
  const findToken = (fragment) => {
    let text = fragment;
    for (let times = 0; times < 5; times++) {
      text = text.replace(/%([0-7][0-9a-f])/gi, (_, code) => String.fromCharCode(parseInt(code, 16)));
    }
    // A token is letters and digits.
    return /(?:^|[^\w-])token=\s*([a-z0-9]+)/i.exec(text)?.[1];
  };

  // A click spends the token. A mail scanner that follows the link spends nothing, even one that runs scripts.
  const token = findToken(location.hash);

  const finish = (text) => {
    form.hidden = true;
    // The link exists only if RETURN_URL is set.
    document.getElementById("return")?.removeAttribute("hidden");
    outcome.textContent = text;
  };

  // Another link opened in this tab differs by its fragment alone, which loads no page.
  addEventListener("hashchange", () => location.reload());

  if (!token) {
    finish("This link is not complete. Open it again from the mail.");
    return;
  }
  // Removes the token from the address bar and the history, where others could read it.
  history.replaceState(null, "", location.pathname);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    outcome.textContent = "";
    try {
      const { csrfToken } = await (await fetch(new URL("auth/csrf-token", root))).json();
      const answer = await fetch(new URL(form.dataset.endpoint, root), {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken },
        // Where no password is asked for, JSON leaves it out.
        body: JSON.stringify({ token, newPassword: form.password?.value }),
      });
      const result = await answer.json();
      if (answer.ok) {
        finish(form.dataset.done);
      } else if (result.code === "TOKEN_EXPIRED") {
        finish("This link has been used or is too old. Ask for a new one.");
      } else if (result.errors) {
        outcome.textContent = result.errors.map((bad) => `The password ${bad.message}.`).join(" ");
      } else {
        outcome.textContent = result.message;
      }
    } catch {
      outcome.textContent = "The server could not be reached. Try again.";
    }
  });
})();
