"""What ``doctor --probe`` and ``models --live`` say."""

from __future__ import annotations

FIRST_CONTACT: dict[str, tuple[str, str]] = {
    # --- models --live ---------------------------------------------------------------------------
    "live_none": (
        "The service has no public list of models.",
        "该服务没有公开的模型列表。",
    ),
    "live_known": ("{id}: known", "{id}：已知"),
    "live_known_as": ("{id}: known as {ids}", "{id}：已知，条目为 {ids}"),
    "live_new": (
        "{id}: not known yet. An entry for models.json, filled from {like}; correct what differs:",
        "{id}：尚未收录。以下是参照 {like} 填写的 models.json 条目，请修正不同之处：",
    ),
    "live_missing": (
        "not offered for this key: {ids}",
        "此密钥不可用：{ids}",
    ),
    # --- facts -----------------------------------------------------------------------------------
    "fact_refused": (
        "the service refused it on {date} (doctor --probe)",
        "该服务在 {date} 拒绝了它（doctor --probe）",
    ),
    "facts_none": (
        "nothing is known yet; doctor --probe asks the service at no cost",
        "尚无信息；运行 doctor --probe 可免费向服务询问",
    ),
    "facts_known": ("{facts} (probed on {date})", "{facts}（探测于 {date}）"),
    "facts_forgotten": (
        "What was known about {address} is forgotten.",
        "已清除关于 {address} 的信息。",
    ),
    "fact_models": ("list of models open: {value}", "模型列表开放：{value}"),
    "fact_balance": ("balance open: {value}", "余额可查：{value}"),
    "fact_unknown_model": (
        "an unknown model is reported with HTTP {status} ({label})",
        "未知模型返回 HTTP {status}（{label}）",
    ),
    "fact_unknown_task": (
        "an unknown task is reported with HTTP {status} ({label})",
        "未知任务返回 HTTP {status}（{label}）",
    ),
    "fact_accepted": ("a body of {size} bytes is accepted", "接受 {size} 字节的请求"),
    "fact_inline": ("{family} takes inline images: {value}", "{family} 接受内联图片：{value}"),
    "fact_tier": ("{model} {tier}: {value}", "{model} 的 {tier}：{value}"),
    "fact_life": ("{family} links last {hours} h", "{family} 的链接有效 {hours} 小时"),
    "fact_body": ("a body of {size} bytes is too large", "{size} 字节的请求过大"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    # --- the questions of the documentation ------------------------------------------------------
    "ask_models": ("Is the list of models open?", "模型列表是否开放？"),
    "ask_balance": ("Is the balance open?", "余额是否可查？"),
    "ask_unknown_model": ("How is an unknown model reported?", "未知模型如何报错？"),
    "ask_unknown_task": ("How is an unknown task reported?", "未知任务如何报错？"),
    "ask_inline": (
        "Does {family} take reference images as data URIs?",
        "{family} 是否接受 data URI 形式的参考图？",
    ),
    "ask_tier": ("Which tiers does {model} accept?", "{model} 接受哪些档位？"),
    "ask_body": ("How large may a request be?", "请求最大可以多大？"),
    "ask_life": ("How long do links of {family} last?", "{family} 的链接有效多久？"),
    "found_models": ("yes, {count} Seedream models", "是，共 {count} 个 Seedream 模型"),
    "found_closed": ("no (not available to this key)", "否（此密钥不可用）"),
    "found_shape": (
        "with HTTP {status} ({label}): {said}",
        "返回 HTTP {status}（{label}）：{said}",
    ),
    "found_accepted": ("accepted: {tiers}", "接受：{tiers}"),
    "found_refused": ("refused: {tiers}", "拒绝：{tiers}"),
    "found_body": ("at least {size} bytes", "至少 {size} 字节"),
    "found_body_limit": (
        "{accepted} bytes are accepted, {refused} bytes are not",
        "接受 {accepted} 字节，不接受 {refused} 字节",
    ),
    "found_life": ("{hours} h, by the link's signature", "{hours} 小时（按链接签名）"),
    "found_life_unsigned": ("the link does not state it", "链接中没有说明"),
    "found_life_past": (
        "the time that the link states has passed, according to this computer's clock",
        "按本机时钟，链接注明的时间已过",
    ),
    "found_unsettled": ("not settled: {reason}", "未能确定：{reason}"),
    "probe_free": (
        "Nothing was charged. doctor --probe --paid settles the rest with up to {count} images.",
        "未产生费用。运行 doctor --probe --paid 可用最多 {count} 张图片确定其余问题。",
    ),
    "probe_paid": ("May have been charged: {count} images.", "可能已扣费：{count} 张图片。"),
    "probe_offer": (
        "This makes and pays for up to {count} images: {images}. {price}",
        "这将生成并付费最多 {count} 张图片：{images}。{price}",
    ),
    "probe_price": ("Price: {amounts}.", "价格：{amounts}。"),
    "probe_no_price": (
        "Their price is not known here; it is the service's.",
        "此处不知道价格，以服务为准。",
    ),
    "probe_ask": ("Continue? [y/N] ", "是否继续？[y/N] "),
    "probe_declined": ("Nothing was sent.", "未发送任何请求。"),
    "probe_needs_yes": (
        "doctor --probe --paid asks before it pays; without a terminal, add --yes",
        "doctor --probe --paid 付费前会询问；没有终端时请加 --yes",
    ),
    "probe_needs_probe": (
        "--paid and --yes require --probe",
        "--paid 和 --yes 需与 --probe 一起使用",
    ),
    "probe_not_sent": ("an earlier request ended the probe", "前一个请求使探测提前结束"),
    "prompt_asks_for_one": (
        "n is {n}, but the prompt does not ask for several images; the model decides how many it "
        "makes",
        "n 为 {n}，但提示词没有要求多张图片；实际张数由模型决定",
    ),
    "help_live": (
        "ask the service which models it offers, and suggest entries for new ones",
        "向服务查询可用模型，并为新模型给出条目",
    ),
    "help_probe": (
        "ask the service what its documentation leaves open, at no cost",
        "免费向服务询问其文档未说明的问题",
    ),
    "help_paid": (
        "with --probe: also make the smallest images, after asking",
        "与 --probe 一起使用：询问后再生成最小的图片",
    ),
    "help_yes": ("with --paid: do not ask", "与 --paid 一起使用：不再询问"),
    "help_forget_facts": (
        "forget what probes learned about this address",
        "清除探测得到的关于此地址的信息",
    ),
    "help_simulate": (
        "behave like another service: inline-evolink, no-inline, no-models-list, no-balance, "
        "dashboard-balance, small-bodies or signed-links; may be repeated",
        "模拟另一种服务行为：inline-evolink、no-inline、no-models-list、no-balance、"
        "dashboard-balance、small-bodies 或 signed-links；可重复",
    ),
}
