"""`python -m polybook`."""

from .cli import main

raise SystemExit(main())
