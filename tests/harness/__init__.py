"""What tests talk to Latchkey with: a real server process, a browser, and the document that every answer is held to."""
