"""Sessions: their tokens and cookies, rotation with reuse detection, revocation, and who is asking."""
