"""Aftersales: work items after payment, refund cases with their deadlines, money that goes back."""
