"""What shop platforms deliver: signed words of orders, and the secrets that they sign with."""
