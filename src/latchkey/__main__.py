"""`python -m latchkey`, and the `latchkey` command."""

import gc


def main() -> None:
    """Runs the command."""
    # What is imported stays. Looking for garbage in it meanwhile takes a tenth of a command's start.
    gc.disable()
    from latchkey.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
