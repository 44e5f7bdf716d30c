"""What the command line prints by key: checks of ``doctor``, lines of the commands."""

from __future__ import annotations

TERMINAL: dict[str, tuple[str, str]] = {
    # --- doctor ----------------------------------------------------------------------------------
    "verdict_ok": ("ok  ", "正常"),
    "verdict_note": ("note", "提示"),
    "verdict_problem": ("FAIL", "问题"),
    "set": ("set", "已设置"),
    "not_set": ("not set", "未设置"),
    "sandbox_key": ("the sandbox's own", "沙盒自带的密钥"),
    "folder_open": ("other users of this machine may read {path}", "本机其他用户可以读取 {path}"),
    "folder_writable": ("{path} is writable", "{path} 可写入"),
    "ledger_copied": ("{count} tasks copied to {place}", "已将 {count} 个任务复制到 {place}"),
    "images_not_copied": (
        "The images stay in their data folder. Set SEEDREAM_LEDGER on every machine before the "
        "next run: two ledgers in use would both pay.",
        "图片仍在原数据目录中。下次运行前，请在每台机器上设置 SEEDREAM_LEDGER："
        "同时使用两份记录会重复付费。",
    ),
    "ledger_shared": (
        "shared ledger at {place}, images in {path}",
        "共享记录 {place}，图片保存在 {path}",
    ),
    "store_works": (
        "an object was written to {place}, read and deleted",
        "已在 {place} 写入、读取并删除一个对象",
    ),
    "store_keeps": (
        "an object was written to {place} and read, but could not be deleted ({reason}); nothing "
        "else is ever deleted there",
        "已在 {place} 写入并读取一个对象，但无法删除（{reason}）；除此之外不会在其中删除任何内容",
    ),
    "store_unusable": ("{place} cannot be used: {reason}", "{place} 无法使用：{reason}"),
    "proxy_not_needed": ("not needed for the sandbox", "沙盒不需要"),
    "path_missing": ("{path} does not exist", "{path} 不存在"),
    "proxy_unused": (
        "not used for this address (proxies set: {names})",
        "此地址不使用代理（已设置的代理：{names}）",
    ),
    "none": ("none", "无"),
    "proxy_used": ("{proxy} is used for this address", "此地址使用代理 {proxy}"),
    "name_unresolved": ("{host} cannot be resolved ({reason})", "无法解析 {host}（{reason}）"),
    "name_faked": (
        "{host} resolves to {addresses}, invented by a TUN proxy: such addresses count as "
        "public here",
        "{host} 解析为 {addresses}，由 TUN 代理虚构：此类地址在此视为公网地址",
    ),
    "name_resolved": ("{host} resolves to {addresses}", "{host} 解析为 {addresses}"),
    "upload_works": (
        "{target}: an image was uploaded and fetched again; it is kept {life}",
        "{target}：已上传一张图片并取回；保留时间：{life}",
    ),
    "life_unknown": ("for as long as the host decides", "由主机决定，主机未说明"),
    "life_hours": ("for {hours} h", "{hours} 小时"),
    "upload_inline": (
        "inline: images are sent inside the request; Evolink models may refuse that",
        "inline：图片放在请求内发送；Evolink 模型可能拒绝",
    ),
    "upload_unset": (
        "no upload target is set up: Preferential models accept images inline, Evolink models "
        "only as URLs",
        "未配置上传方式：Preferential 模型可内联图片，Evolink 模型只接受 URL",
    ),
    "models_unlisted": ("the key works; not listed: {models}", "密钥有效；未列出：{models}"),
    "key_accepted": ("{host} responds and accepts the key", "{host} 有响应并接受密钥"),
    "no_model_list": (
        "it responds, but has no list of models to check the key with",
        "服务有响应，但没有可用来检查密钥的模型列表",
    ),
    "balance_unknown": ("the relay does not report it", "中转站未提供"),
    "balance_unlimited": ("this key has no quota limit", "此密钥没有单独的额度限制"),
    "balance": (
        "{units} quota units left (about {dollars} USD at the relay's usual rate)",
        "剩余 {units} 额度单位（按中转站通常的换算约 {dollars} 美元）",
    ),
    "balance_amount": (
        "{amount} left, in the currency that the relay displays",
        "剩余 {amount}（中转站显示的币种）",
    ),
    # --- lines of the commands -------------------------------------------------------------------
    "output_unwritable": ("The output cannot be written: {reason}", "无法写出结果：{reason}"),
    "task_heads": (
        "   ID  WHEN              STATE      MODEL  TASK  PROMPT",
        " 编号  时间              状态       模型  任务  提示词",
    ),
    "head_id": ("ID", "编号"),
    "head_when": ("WHEN", "时间"),
    "head_state": ("STATE", "状态"),
    "head_model": ("MODEL", "模型"),
    "head_prompt": ("PROMPT", "提示词"),
    "no_entries": ("There are no entries.", "没有记录。"),
    "entries_cut": (
        "Only the newest {count} are listed; --export FILE writes all.",
        "只列出最新的 {count} 条；--export FILE 可写出全部。",
    ),
    "links_until": ("(links until about {when})", "（链接约到 {when} 失效）"),
    "store_size": (
        "Store: {size} MB of {limit} GB in {path}",
        "图片存储：{size} MB，上限 {limit} GB，位于 {path}",
    ),
    "entries_written": (
        "{count} entries were written to {path}.",
        "已将 {count} 条记录写入 {path}。",
    ),
    "store_pruned": (
        "{count} images, {size} MB, were removed from the store.",
        "已从存储中移除 {count} 张图片，{size} MB。",
    ),
    "entry_forgotten": (
        "Entry {entry} is forgotten: the same inputs will be sent, and paid for, again.",
        "已作废第 {entry} 条：相同输入会重新发送并再次扣费。",
    ),
    "stored_result": (
        "Stored result, nothing charged; change --seed for a new one.",
        "已保存的结果，未扣费；更换 --seed 可重新生成。",
    ),
    "task_runs": (
        "Task {task_id} is running. Fetch it with: poll {task_id}",
        "任务 {task_id} 正在运行。取回：poll {task_id}",
    ),
    "failed_line": ("Failed: {reason}", "失败：{reason}"),
    "note_line": ("Note: {note}", "注意：{note}"),
    "waiting_for_response": (
        "The request was already sent: waiting for its response, so that nothing is lost. "
        "Press Ctrl-C again to stop immediately.",
        "请求已发送：正在等待响应，以免丢失。再按 Ctrl-C 可立即停止。",
    ),
    "sandbox_runs": (
        "The sandbox runs at {url}; it is free. Use it with:",
        "沙盒运行于 {url}，完全免费。使用方式：",
    ),
    "ctrl_c_ends": ("Press Ctrl-C to stop it.", "按 Ctrl-C 结束。"),
    "time_left": ("about {seconds} s left", "约剩 {seconds} 秒"),
    "standard_input": ("standard input", "标准输入"),
    "ask_key": ("API key (not shown):", "API 密钥（不显示）："),
    "ask_value": ("{name} (not shown):", "{name}（不显示）："),
    "profiles_known": ("Profiles: {names}", "密钥配置：{names}"),
    "profile_removed": (
        "The profile {name} and its key are removed.",
        "已删除密钥配置 {name} 及其密钥。",
    ),
    "key_saved": ("The key is saved.", "密钥已保存。"),
    "key_removed": ("The saved key is removed.", "已删除保存的密钥。"),
    "key_is_set": ("Key for {address}: set ({origin})", "{address} 的密钥：已设置（{origin}）"),
    "key_is_not_set": ("Key for {address}: not set", "{address} 的密钥：未设置"),
    "key_remains": (
        "A key is still set, by the {origin}.",
        "仍有密钥，来源：{origin}。",
    ),
    "data_folder": ("Data folder: {path}", "数据目录：{path}"),
    "of_total": ("{done} of {total}", "{done}/{total}"),
}
