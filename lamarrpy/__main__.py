"""``python -m lamarrpy`` is the command ``lamarrpy``."""

from lamarrpy.cli import main

if __name__ == "__main__":
    main()
