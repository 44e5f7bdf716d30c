"""What recovery and receipts say by key."""

from __future__ import annotations

RECOVERY: dict[str, tuple[str, str]] = {
    "collected": (
        "Fetched {images} image(s) of {tasks} unfinished task(s).",
        "已取回 {tasks} 条未完成记录的 {images} 张图片。",
    ),
    "images_shared": (
        "Put {images} stored image(s) into the shared store.",
        "已将 {images} 张已保存的图片写入共享存储。",
    ),
    "images_unshared": (
        "Not in the shared store yet: {images} stored image(s) of this machine.",
        "本机有 {images} 张已保存的图片尚未写入共享存储。",
    ),
    "nothing_unfinished": (
        "There is nothing to fetch with this key.",
        "没有可用此密钥取回的内容。",
    ),
    "entry_runs": ("Entry {entry} is still running.", "第 {entry} 条仍在运行。"),
    "entry_not_collected": ("Entry {entry}: {reason}", "第 {entry} 条：{reason}"),
    "entries_of_other_key": (
        "Left alone, because another key made them: entries {entries}",
        "由其他密钥提交，未处理：第 {entries} 条",
    ),
    "entries_of_other_address": (
        "Left alone, because they were sent to another address: entries {entries}",
        "提交到其他地址，未处理：第 {entries} 条",
    ),
    "left_alone_key": (
        "Another key made this task, so it is not fetched automatically. Switch to that key.",
        "此任务由其他密钥提交，不会自动取回。请换用该密钥。",
    ),
    "left_alone_address": (
        "This task was sent to another address, so it is not fetched automatically. Switch to that "
        "address.",
        "此任务提交到其他地址，不会自动取回。请换用该地址。",
    ),
    "receipt_line": (
        "{model}  {time}  task: {task_id}  cost: {cost}",
        "{model}  {time}  任务：{task_id}  费用：{cost}",
    ),
    "receipt_original": ("Stored original: {path}", "已存储的原图：{path}"),
    "receipt_unknown": (
        "This ledger has no entry of it.",
        "此记录中没有对应的条目。",
    ),
    "search_at_service": (
        "Entry {entry} has an unknown outcome. Search the service's usage log for {model} at "
        "{when} (local time); request ID: {request_id}.",
        "第 {entry} 条结果未知。请在服务方的用量日志中查找 {when}（本地时间）的 {model} 请求；"
        "请求 ID：{request_id}。",
    ),
}
