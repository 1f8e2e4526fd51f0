"""The secrets with which shops vouch for their buyers."""

import hmac

from pydantic import SecretStr

from services.conversation.shops.domain import Shop


class ShopSecrets:
    """Derives the secret of each shop, so that none is stored."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key.get_secret_value().encode()

    def of(self, shop_id: str, version: int) -> str:
        """Return the shop's secret of that version."""
        return hmac.digest(self._key, f"{shop_id}\n{version}".encode(), "sha256").hex()

    def accepted(self, shop: Shop) -> tuple[str, ...]:
        """Return what buyers' tokens may be signed with: the newest secret and the one before."""
        versions = range(shop.secret_version, max(shop.secret_version - 2, 0), -1)
        return tuple(self.of(shop.id, version) for version in versions)
