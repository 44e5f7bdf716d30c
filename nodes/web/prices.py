"""The price table as the settings panel shows and saves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...seedream_api.config.documents import PRICES_FILE
from ...seedream_api.config.prices import PriceTable, check_prices
from ...seedream_api.config.private_file import write_private_json
from ...seedream_api.config.settings import load_settings
from ...seedream_api.errors import ConfigurationError
from ...seedream_api.messages import text_of
from . import settings

if TYPE_CHECKING:
    from ...seedream_api.config.settings import Settings

_SETTING = "SEEDREAM_PRICES"


def list_prices() -> dict[str, Any]:
    """List the prices of the file and the known models. Reads the disk: call it in a thread.

    Raises:
        ConfigurationError: a setting or the models file is not allowed.
    """
    loaded = load_settings(settings.find_home_folder())
    error: ConfigurationError | None = None
    table = PriceTable()
    try:
        table = _read_table(loaded)
    except ConfigurationError as found:
        error = found
    fixed = _locked_error(loaded)
    tiers = {model.id: [*(model.qualities or model.sizes)] for model in loaded.models.values()}
    for model_id, prices in table.models.items():
        tiers.setdefault(model_id, [tier for tier in prices.tiers if tier])
    return {
        "prices": table.to_json(),
        "models": [{"id": model_id, "tiers": found} for model_id, found in tiers.items()],
        **settings.lock_json(fixed, error),
    }


def _read_table(loaded: Settings) -> PriceTable:
    """Read the file alone, without the prices that the models file adds."""
    found = loaded.documents.get(PRICES_FILE)
    if found is None:
        return PriceTable()
    _ = loaded.prices  # raises what is wrong with the file
    return check_prices(json.loads(found.text), loaded.models)


def save_prices(given: Any) -> None:
    """Save the price table in the data folder. Blocks: call it in a thread.

    Raises:
        ConfigurationError: a price is not allowed, or the table is another file.
        LedgerFailed: the file cannot be written.
    """
    loaded = load_settings(settings.find_home_folder())
    if fixed := _locked_error(loaded):
        raise fixed
    try:
        table = check_prices(given, loaded.models)
    except ValueError as error:
        raise ConfigurationError("bad_prices", reason=text_of(error)) from None
    write_private_json(loaded.home / PRICES_FILE, table.to_json())


def _locked_error(loaded: Settings) -> ConfigurationError | None:
    if loaded.text(_SETTING):
        return ConfigurationError("prices_elsewhere", name=_SETTING, path=loaded.text(_SETTING))
    return None
