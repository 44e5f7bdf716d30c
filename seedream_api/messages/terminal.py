"""What the command line prints: the checks of ``doctor``, lines of the commands, and their help.

The English is what the code says, by which the Chinese is found: see ``phrases.py``.
"""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "ok  ": "正常",
    "note": "提示",
    "FAIL": "问题",
    "set": "已设置",
    "not set": "未设置",
    "the sandbox's own": "沙盒自带的密钥",
    "other users of this machine may read {path}": "本机其他用户可以读取 {path}",
    "{path} can be written": "{path} 可写入",
    "not needed for the sandbox": "沙盒不需要",
    "{path} does not exist": "{path} 不存在",
    "not used for this address (proxies set: {names})": "此地址不使用代理（已设置的代理：{names}）",
    "none": "无",
    "{proxy} is used for this address": "此地址使用代理 {proxy}",
    "{host} cannot be resolved ({reason})": "无法解析 {host}（{reason}）",
    "{host} leads to {addresses}, made up by a TUN proxy: here such addresses count as public": (
        "{host} 指向 {addresses}，由 TUN 代理虚构：此类地址在此视为公网地址"
    ),
    "{host} leads to {addresses}": "{host} 指向 {addresses}",
    "{way}: a picture was sent and fetched back; it lives {life}": (
        "{way}：已发送一张图片并取回；地址有效期：{life}"
    ),
    "for as long as the host keeps it, which it does not say": "由主机决定，主机未说明",
    "for {hours} h": "{hours} 小时",
    "inline: pictures travel inside the request; Evolink models may refuse that": (
        "inline：图片放在请求内发送；Evolink 模型可能拒绝"
    ),
    "no way to upload is set up: Preferential models take pictures inline, Evolink models only by "
    "URL": "未配置上传方式：Preferential 模型可内联图片，Evolink 模型只接受 URL",
    "the key works; not listed: {models}": "密钥有效；未列出：{models}",
    "{host} answers and accepts the key": "{host} 有回答并接受密钥",
    "it answers, but has no list of models to check the key by": (
        "服务有回答，但没有可用来检查密钥的模型列表"
    ),
    "it answers with HTTP {status}": "服务回答 HTTP {status}",
    "the relay does not tell it": "中转站未提供",
    "this key has no limit of its own": "此密钥没有单独的额度",
    "{units} quota units left (about {dollars} USD where the relay counts as usual)": (
        "剩余 {units} 额度单位（按中转站通常的换算约 {dollars} 美元）"
    ),
}

LINES: dict[str, str] = {
    "The output cannot be written: {reason}": "无法写出结果：{reason}",
    # Chinese letters are two columns wide: the heads stand where the entries do.
    "   ID  WHEN              STATE      MODEL  TASK  PROMPT": (
        " 编号  时间              状态       模型  任务  提示词"
    ),
    "There are no entries.": "没有记录。",
    "Only the newest {count} are listed; --export FILE writes all.": (
        "只列出最新的 {count} 条；--export FILE 可写出全部。"
    ),
    "(links until about {when})": "（链接约到 {when} 失效）",
    "Store: {size} MB of {limit} GB in {path}": "图片存储：{size} MB，上限 {limit} GB，位于 {path}",
    "{count} entries were written to {path}.": "已将 {count} 条记录写入 {path}。",
    "{count} images, {size} MB, were removed from the store.": (
        "已从存储中移除 {count} 张图片，{size} MB。"
    ),
    "Entry {id} is forgotten: the same inputs will be sent, and paid for, again.": (
        "已遗忘第 {id} 条：相同输入会重新发送并再次扣费。"
    ),
    "Stored result, nothing charged; change --seed for a new one.": (
        "已保存的结果，未扣费；更换 --seed 可重新生成。"
    ),
    "Task {id} runs. Fetch it: poll {same}": "任务 {id} 正在运行。取回：poll {same}",
    "Failed: {reason}": "失败：{reason}",
    "Note: {note}": "注意：{note}",
    "The request was sent already: waiting for its answer, so that nothing is lost. Press Ctrl-C "
    "to stop at once.": "请求已发送：正在等待回答，以免丢失。再按 Ctrl-C 可立即停止。",
    "The sandbox runs at {url}; nothing there costs anything. Use it with:": (
        "沙盒运行于 {url}，完全免费。使用方式："
    ),
    "Press Ctrl-C to end it.": "按 Ctrl-C 结束。",
}

HELP: dict[str, str] = {
    "Seedream images through DeepSpaceAPI: every image paid for once, none lost.": (
        "通过 DeepSpaceAPI 使用 Seedream：每张图只付一次费，一张都不丢。"
    ),
    "the models and what each takes": "模型及各自接受的参数",
    "what is wrong with key, address, proxy or balance": "检查密钥、地址、代理和余额",
    "run the free stand-in of the service": "运行免费沙盒",
    "0 takes a free one (default)": "0 表示任选空闲端口（默认）",
    "refuse what only neighbouring sources doubt": "拒绝仅被其他资料存疑的值",
    "make images; the same inputs are paid for once": "生成图片；相同输入只扣费一次",
    "Preferential: 2K or 4K; Evolink: an aspect ratio": "Preferential：2K 或 4K；Evolink：宽高比",
    "Evolink: 1K, 2K or 4K": "Evolink：1K、2K 或 4K",
    "Evolink: at most so many images, 1-15": "Evolink：最多张数，1-15",
    "not sent; another seed pays anew": "不会发送；换种子会重新扣费",
    "Evolink: standard or fast": "Evolink：standard 标准或 fast 快速",
    "Preferential: png or jpeg": "Preferential：png 或 jpeg 格式",
    "fetch tasks by their ids; nothing is submitted": "按 ID 取回任务；不提交任何请求",
    "the record of what was paid for": "付费请求的记录",
    "fetch what this entry still lacks": "取回此条尚缺的图片",
    "let the same inputs be paid for again": "允许相同输入再次扣费",
    "write the whole record as JSON": "将全部记录写为 JSON",
    "remove delivered images from the store": "从存储中移除已交付的图片",
    "list or export only these": "只列出或导出这些状态",
    "with --prune: all older ones": "配合 --prune：移除更早的图片",
    "with --prune: default SEEDREAM_STORE_GB": "配合 --prune：默认取 SEEDREAM_STORE_GB",
    "fetch images by URL, within bounds": "按 URL 取回图片，有安全边界",
    "default: here": "默认：当前目录",
    "seconds to wait": "等待的秒数",
    "do not wait for a task": "不等待任务",
    "one JSON object on stdout": "在 stdout 输出一个 JSON 对象",
    "positional arguments": "参数",
    "options": "选项",
    "show this help message and exit": "显示此帮助并退出",
    "show program's version number and exit": "显示版本号并退出",
}

WRONG_USE: dict[str, str] = {
    "the following arguments are required: {names}": "缺少参数：{names}",
    "unrecognized arguments: {given}": "无法识别的参数：{given}",
    "argument {name}: {reason}": "参数 {name}：{reason}",
    "expected one argument": "需要一个值",
    "expected at least one argument": "至少需要一个值",
    "not allowed with argument {name}": "不能与参数 {name} 同时使用",
    "invalid choice: {given} (choose from {allowed})": "没有 {given}（可选：{allowed}）",
    "{text} is not between {low} and {high} seconds": "{text} 不在 {low} 到 {high} 秒之间",
    "{text} is not between {low} and {high}": "{text} 不在 {low} 到 {high} 之间",
    "{text} is no whole number": "{text} 不是整数",
    "{text} is no number": "{text} 不是数字",
}
"""What argparse and the commands say of arguments that do not fit."""
