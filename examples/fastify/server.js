// Notes of each user who signs in at a Latchkey, here that of `latchkey dev`.
// Needs the packages fastify and latchkey-client. Start: node server.js
import Fastify from "fastify";
import { latchkey } from "latchkey-client/node";

const auth = latchkey({
  issuer: process.env.LATCHKEY_URL ?? "http://localhost:3000",
  apiKey: process.env.LATCHKEY_API_KEY, // with it, ended sessions are refused at once
  origins: process.env.PAGE_ORIGIN ? [process.env.PAGE_ORIGIN] : [],
});
const notes = new Map();
const app = Fastify();

app.get("/notes", { onRequest: auth.fastify() }, async (request) => notes.get(request.user.id) ?? []);

app.post("/notes", { onRequest: auth.fastify() }, async (request, reply) => {
  notes.set(request.user.id, [...(notes.get(request.user.id) ?? []), String(request.body?.text)]);
  return reply.code(201).send(notes.get(request.user.id));
});

// Only for admins who have signed in, or proved who they are, within five minutes.
app.delete("/notes", { onRequest: auth.fastify({ role: "admin", maxAge: 300 }) }, async (request, reply) => {
  notes.clear();
  return reply.code(204).send();
});

await app.listen({ port: Number(process.env.PORT ?? 8000) });
console.log(`Listening on port ${app.server.address().port}`);
