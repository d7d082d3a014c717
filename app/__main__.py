"""`python -m app` is `rollcall`."""

from app.interrupts import end_on_interrupt, raise_on_interrupt


def main() -> None:
    end_on_interrupt("Nothing was done. Run the same command again.")
    from app.cli import main as run_command  # takes half a second

    raise_on_interrupt()
    run_command()


if __name__ == "__main__":
    main()
