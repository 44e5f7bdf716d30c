"""An independent judge of the money: it knows the service's documents and none of the client.

It talks to the client through ``seedream_api`` alone and responds with bytes that it builds, so
that a wrong idea of how the service speaks is not shared by the code and its tests.
"""
