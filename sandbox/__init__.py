"""Stand-ins for the outside world in its real protocols: Stripe, Google, a mail server, a partner; and a demo shop.

For `make run` and for tests. Everything listens on loopback only, and no real money, mail or partner is ever touched.
"""

from sandbox.app import Sandbox
from sandbox.shop_client import ShopClient

__all__ = ["Sandbox", "ShopClient"]
