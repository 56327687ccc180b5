"""What this copy of the shop is: its version, its settings, and whether it can work with them."""

import json
import os
from dataclasses import dataclass

PROVIDERS = {"builtin"}


@dataclass(frozen=True)
class Release:
    version: str
    currency: str
    payment_provider: str

    @classmethod
    def read(cls, root):
        settings = json.loads((root / "settings.json").read_text())
        return cls(
            version=(root / "VERSION").read_text().strip(),
            currency=settings["currency"],
            payment_provider=os.environ.get("SHOP_PAYMENT_PROVIDER", settings["payment_provider"]),
        )

    def not_ready_because(self):
        """A sentence, or None when the shop can take orders."""
        if self.payment_provider not in PROVIDERS:
            return f"payment provider {self.payment_provider!r} does not answer"
        return None
