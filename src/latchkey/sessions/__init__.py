"""Sessions: tokens and cookies, rotation with reuse detection, revocation, and the guards of endpoints."""
