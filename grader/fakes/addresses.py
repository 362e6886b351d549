"""The environment variables in which a process finds the fakes."""

from __future__ import annotations


def addresses(url: str, key: str) -> dict[str, str]:
    """Return them for a caller's base URL and key; see `ModelServer.admit`."""
    return {
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": key,
        "LEDGER_URL": ledger_of(url),
        "PROFILE_URL": profiles_of(url),
    }


def ledger_of(url: str) -> str:
    """Return the URL of the ledger for a caller's base URL."""
    return f"{url.rpartition('/')[0]}/ledger"


def profiles_of(url: str) -> str:
    """Return the URL of the profile service for a caller's base URL."""
    return f"{url.rpartition('/')[0]}/upstream"
