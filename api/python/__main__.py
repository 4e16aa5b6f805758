"""`python -m crossmedia`: the command line."""

from crossmedia.api.cli import main

if __name__ == "__main__":
    main()
