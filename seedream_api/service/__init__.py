"""The protocol of the service: requests, responses and polls. It does not use the ledger."""
