"""Getting in: login, registration, password change and recovery, and the /auth endpoints."""
