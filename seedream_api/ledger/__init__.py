"""The ledger of every paid job, with its images and uploads."""
