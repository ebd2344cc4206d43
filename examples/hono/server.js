// Notes of each user who signs in at a Latchkey, here that of `latchkey dev`.
// Needs the packages hono, @hono/node-server and latchkey-client. Start: node server.js
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { latchkey } from "latchkey-client/node";

const auth = latchkey({
  issuer: process.env.LATCHKEY_URL ?? "http://localhost:3000",
  apiKey: process.env.LATCHKEY_API_KEY, // with it, ended sessions are refused at once
  origins: process.env.PAGE_ORIGIN ? [process.env.PAGE_ORIGIN] : [],
});
const notes = new Map();
const app = new Hono();

app.get("/notes", auth.hono(), (c) => c.json(notes.get(c.get("user").id) ?? []));

app.post("/notes", auth.hono(), async (c) => {
  const { id } = c.get("user");
  notes.set(id, [...(notes.get(id) ?? []), String((await c.req.json()).text)]);
  return c.json(notes.get(id), 201);
});

// Only for admins who have signed in, or proved who they are, within five minutes.
app.delete("/notes", auth.hono({ role: "admin", maxAge: 300 }), (c) => {
  notes.clear();
  return c.body(null, 204);
});

const port = Number(process.env.PORT ?? 8000);
serve({ fetch: app.fetch, port }, (at) => console.log(`Listening on port ${at.port}`));
