"""Use two accounts in one process, without the environment: each has its own key and ledger."""

from __future__ import annotations

import asyncio
import os

from seedream_api import Request, Session, generate

ADDRESS = os.environ.get("DEEPSPACE_BASE_URL", "sandbox")
ACCOUNTS = {
    "studio": os.environ.get("STUDIO_KEY"),
    "client": os.environ.get("CLIENT_KEY"),
}


async def make(account: str, prompt: str) -> str:
    async with Session(
        api_key=ACCOUNTS[account], base_url=ADDRESS, home=f"accounts/{account}"
    ) as session:
        result = await generate(Request(model="Seedream-4.5", prompt=prompt), session)
        balance = await session.balance()
        left = "unlimited" if balance.is_unlimited else balance.units
        return f"{account}: {result.charged_images} charged, {left} units left"


async def main() -> None:
    for line in await asyncio.gather(make("studio", "A cat"), make("client", "A dog")):
        print(line)


if __name__ == "__main__":
    asyncio.run(main())
