"""What the command line prints by key: checks of ``doctor``, lines of the commands, help."""

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
    "service_status": ("it responds with HTTP {status}", "服务返回 HTTP {status}"),
    "balance_unknown": ("the relay does not report it", "中转站未提供"),
    "balance_unlimited": ("this key has no quota limit", "此密钥没有单独的额度限制"),
    "balance": (
        "{units} quota units left (about {dollars} USD at the relay's usual rate)",
        "剩余 {units} 额度单位（按中转站通常的换算约 {dollars} 美元）",
    ),
    # --- lines of the commands -------------------------------------------------------------------
    "output_unwritable": ("The output cannot be written: {reason}", "无法写出结果：{reason}"),
    "task_heads": (
        "   ID  WHEN              STATE      MODEL  TASK  PROMPT",
        " 编号  时间              状态       模型  任务  提示词",
    ),
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
    "of_total": ("{done} of {total}", "{done}/{total}"),
    # --- wrong use -------------------------------------------------------------------------------
    "needs_prune": (
        "--older-than and --keep-gb require --prune",
        "--older-than 和 --keep-gb 需与 --prune 一起使用",
    ),
    # The English of these, except the last four, is argparse's.
    "wrong_use_missing": ("the following arguments are required: {names}", "缺少参数：{names}"),
    "wrong_use_unknown": ("unrecognized arguments: {given}", "无法识别的参数：{given}"),
    "wrong_use_argument": ("argument {name}: {reason}", "参数 {name}：{reason}"),
    "wrong_use_one_value": ("expected one argument", "需要一个值"),
    "wrong_use_values": ("expected at least one argument", "至少需要一个值"),
    "wrong_use_together": (
        "not allowed with argument {name}",
        "不能与参数 {name} 同时使用",
    ),
    "wrong_use_choice": (
        "invalid choice: {given} (choose from {allowed})",
        "没有 {given}（可选：{allowed}）",
    ),
    "wrong_use_seconds": (
        "{text} is not between {low} and {high} seconds",
        "{text} 不在 {low} 到 {high} 秒之间",
    ),
    "wrong_use_range": (
        "{text} is not between {low} and {high}",
        "{text} 不在 {low} 到 {high} 之间",
    ),
    "wrong_use_whole": ("{text} is not a whole number", "{text} 不是整数"),
    "wrong_use_number": ("{text} is not a number", "{text} 不是数字"),
    # --- help ------------------------------------------------------------------------------------
    "help_usage": ("usage: ", "用法："),
    "help_arguments": ("positional arguments", "参数"),
    "help_options": ("options", "选项"),
    "help_help": ("show this help message and exit", "显示此帮助并退出"),
    "help_version": ("show the version number and exit", "显示版本号并退出"),
    "help_program": (
        "Seedream images through DeepSpaceAPI: every image paid for once, none lost.",
        "通过 DeepSpaceAPI 使用 Seedream：每张图只付一次费，一张都不丢。",
    ),
    "help_models": ("list the models and what each accepts", "列出模型及各自接受的参数"),
    "help_doctor": ("check the key, address, proxy and balance", "检查密钥、地址、代理和余额"),
    "help_sandbox": ("run the free sandbox of the service", "运行免费沙盒"),
    "help_port": ("0 selects a free port (default)", "0 表示任选空闲端口（默认）"),
    "help_strict": (
        "refuse values that other documentation does not confirm",
        "拒绝其他文档未确认支持的值",
    ),
    "help_generate": (
        "make images; the same inputs are paid for once",
        "生成图片；相同输入只扣费一次",
    ),
    "help_size": (
        "Preferential: 2K or 4K; Evolink: an aspect ratio",
        "Preferential：2K 或 4K；Evolink：宽高比",
    ),
    "help_quality": ("Evolink: 1K, 2K or 4K", "Evolink：1K、2K 或 4K"),
    "help_n": ("Evolink: the maximum number of images, 1-15", "Evolink：最多张数，1-15"),
    "help_seed": (
        "not sent; another seed makes, and charges, a new request",
        "不会发送；更换 seed 会重新生成并扣费",
    ),
    "help_priority": ("Evolink: standard or fast", "Evolink：standard 标准或 fast 快速"),
    "help_format": ("Preferential: png or jpeg", "Preferential：png 或 jpeg 格式"),
    "help_poll": (
        "fetch tasks by their ids; nothing is submitted",
        "按 ID 取回任务；不提交任何请求",
    ),
    "help_tasks": ("list the ledger of paid requests", "列出付费请求的记录"),
    "help_resume": ("fetch the missing images of this entry", "取回此条尚缺的图片"),
    "help_forget": ("let the same inputs be paid for again", "允许相同输入再次扣费"),
    "help_export": ("write the whole ledger as JSON", "将全部记录写为 JSON"),
    "help_prune": ("remove delivered images from the store", "从存储中移除已交付的图片"),
    "help_state": ("list or export only these", "只列出或导出这些状态"),
    "help_older_than": ("with --prune: remove all older images", "配合 --prune：移除更早的图片"),
    "help_keep_gb": (
        "with --prune: default SEEDREAM_STORE_GB",
        "配合 --prune：默认取 SEEDREAM_STORE_GB",
    ),
    "help_download": (
        "fetch images by URL, limited in size, from public addresses only",
        "按 URL 取回图片，限制大小，仅访问公网地址",
    ),
    "help_out": ("default: the current folder", "默认：当前目录"),
    "help_timeout": ("seconds to wait", "等待的秒数"),
    "help_no_wait": ("do not wait for a task", "不等待任务"),
    "help_json": ("write one JSON object to stdout", "在 stdout 输出一个 JSON 对象"),
}
