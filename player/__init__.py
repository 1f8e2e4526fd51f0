"""Simulated buyers and colleagues who bring the demo shop to life; none of them is a person.

A client of the public interface like any other, and of the demo shop alone.
"""
