// Notes of each user who signs in at a Latchkey, here that of `latchkey dev`.
// Needs the packages express and latchkey-client. Start: node server.js
import express from "express";
import { latchkey } from "latchkey-client/node";

const auth = latchkey({
  issuer: process.env.LATCHKEY_URL ?? "http://localhost:3000",
  apiKey: process.env.LATCHKEY_API_KEY, // with it, ended sessions are refused at once
  origins: process.env.PAGE_ORIGIN ? [process.env.PAGE_ORIGIN] : [],
});
const notes = new Map();
const app = express();
app.use(express.json());

app.get("/notes", auth.express(), (req, res) => res.json(notes.get(req.user.id) ?? []));

app.post("/notes", auth.express(), (req, res) => {
  notes.set(req.user.id, [...(notes.get(req.user.id) ?? []), String(req.body?.text)]);
  res.status(201).json(notes.get(req.user.id));
});

// Only for admins who have signed in, or proved who they are, within five minutes.
app.delete("/notes", auth.express({ role: "admin", maxAge: 300 }), (req, res) => {
  notes.clear();
  res.status(204).end();
});

const server = app.listen(process.env.PORT ?? 8000, () => console.log(`Listening on port ${server.address().port}`));
