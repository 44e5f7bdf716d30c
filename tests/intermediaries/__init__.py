"""Real programs between the client and an origin: what they make of a paid request.

The origin is a server of raw bytes and counts the POSTs that reach it.
"""
