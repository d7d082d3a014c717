"""`python -m app` is `rollcall`."""

from app.cli import main

if __name__ == "__main__":
    main()
