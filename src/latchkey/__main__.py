"""`python -m latchkey`, and the `latchkey` command."""

from latchkey.cli.main import main

if __name__ == "__main__":
    main()
