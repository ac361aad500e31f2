"""The plan: which sites, in which order, for how many students per cost, and how far from the best.

Sparse arrays in, an order and a bound out.
"""
