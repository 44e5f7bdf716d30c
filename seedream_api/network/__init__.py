"""HTTP, proxies, retries and the check of URLs, for every part of the client."""
