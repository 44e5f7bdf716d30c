"""HTTP, proxies and the guard of URLs: how bytes travel, whoever they are for."""
