"""``python -m phusong`` is the command ``phusong``."""

from phusong.cli import main

if __name__ == "__main__":
    main()
