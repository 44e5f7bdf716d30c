"""Prices, limits and usage: errors by key, and the texts of their parts."""

from __future__ import annotations

from .message import Message

COSTS: dict[str, Message] = {
    "bad_prices_file": Message(
        "The price table {path} cannot be used: {reason}.",
        "价格表 {path} 无法使用：{reason}。",
        "Correct it there, or in ComfyUI's Seedream settings.",
        "请在该文件或 ComfyUI 的 Seedream 设置中更正。",
    ),
    "bad_limit": Message(
        "The limit {name} is {given!r}.",
        "上限 {name} 的值为 {given!r}。",
        "Allowed: a number of images (40, or 40 images) or an amount of money (12.50 CNY).",
        "可填图片张数（40 或 40 images）或金额（12.50 CNY）。",
    ),
    "limit_window_unknown": Message(
        "There is no limit per {given!r}.",
        "没有按 {given!r} 计算的上限。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "limit_reached": Message(
        "{name} allows {limit} per {window}: {used} already count, and this request may cost "
        "{needed}.",
        "{name} 限定{window}至多 {limit}：已计入 {used}，此请求最多需要 {needed}。",
        "Raise {name} in the settings or the environment, or wait for {next}.",
        "请在设置或环境变量中调高 {name}，或等到{next}。",
    ),
    "limit_refuses_rows": Message(
        "{name} allows {limit} per {window}: {used} already count, and the whole batch may cost "
        "{needed}. The rows that no longer fit are not sent.",
        "{name} 限定{window}至多 {limit}：已计入 {used}，整个批次最多需要 {needed}。"
        "超出上限的行不会发送。",
        "Raise {name} in the settings or the environment, or wait for {next}.",
        "请在设置或环境变量中调高 {name}，或等到{next}。",
    ),
    "limit_without_price": Message(
        "{name} is {limit}, and {model} has no known price, so it cannot be checked.",
        "{name} 为 {limit}，但 {model} 没有已知价格，无法核对。",
        "Enter its price in the price table (prices.json in the data folder, or ComfyUI's Seedream "
        "settings), or set the limit in images.",
        "请在价格表（数据目录中的 prices.json，或 ComfyUI 的 Seedream 设置）中填写其价格，"
        "或改用张数上限。",
    ),
    "limit_in_other_currency": Message(
        "{name} is {limit}, and the price table is in {currency}.",
        "{name} 为 {limit}，而价格表的货币是 {currency}。",
        "Set the limit in {currency} or in images.",
        "请将上限改为 {currency} 或图片张数。",
    ),
}

COST_TEXTS: dict[str, tuple[str, str]] = {
    "the_file": ("the file", "文件"),
    "named_twice": ("it is there twice", "重复出现"),
    "unknown_name": (
        "{name} is not one of {allowed}",
        "{name} 不在 {allowed} 之中",
    ),
    "not_currency": (
        "{given} is not a currency code of three capital letters, such as CNY",
        "{given} 不是三个大写字母的货币代码（如 CNY）",
    ),
    "no_image_price": ("it has no price of an image", "没有图片的价格"),
    "price_is_number": (
        'it is the number {given}; write an amount in quotation marks, such as "0.25"',
        "它是数字 {given}；金额请加引号，例如 \"0.25\"",
    ),
    "not_amount": (
        '{given} is not an amount of money in quotation marks, such as "0.25"',
        "{given} 不是加引号的金额，例如 \"0.25\"",
    ),
    "not_a_limit": (
        "it is neither a number of images nor an amount with a currency",
        "既不是图片张数，也不是带货币的金额",
    ),
    "window_run": ("run", "每次运行"),
    "window_day": ("day", "每天"),
    "window_month": ("month", "每月"),
    "next_run": ("the next run", "下次运行"),
    "help_usage_command": (
        "sum up what was requested and charged",
        "汇总请求和扣费",
    ),
    "help_since": (
        "the first day: a date, or a number of days with today (default: 30d)",
        "起始日期，或包括今天在内的天数（默认 30d）",
    ),
    "help_by": ("what each line sums up (default: day)", "每行的汇总方式（默认 day）"),
    "help_csv": ("print CSV instead of a table", "输出 CSV 而非表格"),
    "help_estimate_old": (
        "use today's prices for requests whose price was not recorded",
        "对没有记录价格的请求按当前价格估算",
    ),
    "wrong_use_since": (
        "{text} is neither a number of days such as 30d nor a date such as 2026-11-29",
        "{text} 既不是天数（如 30d）也不是日期（如 2026-11-29）",
    ),
    "no_usage": ("No request was sent in this time.", "此期间没有发送过请求。"),
    "usage_heads": (
        "|requests|images|possibly charged|cost|possible cost",
        "|请求|图片|可能扣费|费用|可能的费用",
    ),
    "usage_day": ("day", "日期"),
    "usage_model": ("model", "模型"),
    "usage_profile": ("profile", "密钥配置"),
    "default_profile": ("(default)", "（默认）"),
    "usage_total": (
        "Total: {requests} request(s), {charged} image(s) charged, {possible} possibly charged.",
        "合计：{requests} 个请求，{charged} 张图已扣费，{possible} 张可能已扣费。",
    ),
    "usage_cost": (
        "Cost: {charged} {currency}, possibly {possible} {currency} more.",
        "费用：{charged} {currency}，另有 {possible} {currency} 可能已扣费。",
    ),
    "usage_coverage": (
        "{percent} % of these images have a known price.",
        "其中 {percent}% 的图片有已知价格。",
    ),
    "no_prices": ("no prices are entered, so costs are unknown", "未填写价格，费用未知"),
    "models_unpriced": ("no price is known for: {models}", "没有已知价格：{models}"),
    "prices_known": (
        "every model has a price in {currency}",
        "每个模型都有 {currency} 价格",
    ),
    "images_count": ("{count} image(s)", "{count} 张图"),
    "balance_difference_amount": (
        "Between {since} and {until} the relay took {taken} from this key, in the currency that it "
        "displays. The recorded requests cost {cost} in this time, which is about {expected} "
        "there. Another program may use the key, or a price may have changed: compare with the "
        "relay's log.",
        "在 {since} 至 {until} 期间，中转站从此密钥扣除了 {taken}（中转站显示的币种）。"
        "同一期间记录的请求费用为 {cost}，约合 {expected}。"
        "可能有其他程序使用此密钥，或价格已变化：请与中转站的日志核对。",
    ),
    "balance_difference": (
        "Between {since} and {until} the relay took {taken} quota units from this key. The "
        "recorded requests cost {cost} in this time, which is about {expected} units. Another "
        "program may use the key, or a price may have changed: compare with the relay's log.",
        "在 {since} 至 {until} 期间，中转站从此密钥扣除了 {taken} 额度单位。"
        "同一期间记录的请求费用为 {cost}，约合 {expected} 额度单位。"
        "可能有其他程序使用此密钥，或价格已变化：请与中转站的日志核对。",
    ),
}  # fmt: skip
