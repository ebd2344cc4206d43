"""Programs that measure. They print figures and judge nothing; the tests judge."""
