"""What the operator decides: read once from the environment, checked as a whole, then frozen."""

from dhatu_gateway.settings.credentials import DEMO_SECRET, read_database
from dhatu_gateway.settings.model import Settings, read_settings
from dhatu_gateway.settings.reader import SettingsError

__all__ = ["DEMO_SECRET", "Settings", "SettingsError", "read_database", "read_settings"]
