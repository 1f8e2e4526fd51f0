"""Quick replies: what agents say again and again, one's own and the shop's."""
