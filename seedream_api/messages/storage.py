"""The record and the store cannot be read or written."""

from __future__ import annotations

from .message import Wording

RECORD: dict[str, Wording] = {
    "ledger_unwritable": Wording(
        "The record of paid requests in {path} cannot be written: {reason}.",
        "无法写入付费请求记录 {path}：{reason}。",
        "Free space or mend the folder's rights, then run again; without the record nothing is "
        "sent.",
        "请释放磁盘空间或修复目录权限后重试；没有记录就不会发送任何请求。",
    ),
    "ledger_broken": Wording(
        "The record of paid requests in {path} is damaged ({reason}); it is kept as {aside}.",
        "付费请求记录 {path} 已损坏（{reason}），已另存为 {aside}。",
        "The next run begins a new record, which does not know what was paid for before: collect "
        "open tasks with Poll Task before running their inputs again.",
        "下次运行将新建记录，新记录不知道以前付过费的请求："
        "重新运行前请先用 Poll Task 取回未完成的任务。",
    ),
    "ledger_newer": Wording(
        "The record in {path} was written by a newer version of this pack.",
        "记录 {path} 由本插件的更新版本写入。",
        "Update this installation, or use another SEEDREAM_HOME.",
        "请更新本插件，或使用另一个 SEEDREAM_HOME。",
    ),
    "ledger_forked": Wording(
        "The record of paid requests in {path} is open in the parent of this forked process, "
        "and cannot be used here.",
        "付费请求记录 {path} 由父进程打开，无法在 fork 出的子进程中使用。",
        "Nothing is sent. Open a new Session in the child, or start it with the spawn method.",
        "不会发送任何请求。请在子进程中新建 Session，或使用 spawn 方式启动子进程。",
    ),
    "ledger_emptied": Wording(
        "The record of paid requests in {path} is empty, but what was paid for before is stored "
        "beside it.",
        "付费请求记录 {path} 是空文件，但旁边存有以前付费的内容。",
        "Nothing is sent until you decide: restore the file from a backup, or delete it (and "
        "a file ending in -wal beside it) to begin a new record, which does not know what was "
        "paid for before.",
        "在处理之前不会发送任何请求：请从备份恢复该文件；或删除它（以及旁边以 -wal 结尾的文件）"
        "以新建记录，新记录不知道以前付过费的请求。",
    ),
    "ledger_log_damaged": Wording(
        "The log {path} of the record of paid requests is damaged.",
        "付费请求记录的日志 {path} 已损坏。",
        "Nothing is sent until you decide: restore the log from a backup, or move it to another "
        "folder to use the record without its latest entries; what they were paid for would then "
        "be paid for again.",
        "在处理之前不会发送任何请求：请从备份恢复该日志；或将它移到其他目录，"
        "以使用缺少最近条目的记录，但这些条目对应的输入会重新付费。",
    ),
    "entry_unreadable": Wording(
        "Entry {entry} of the record of paid requests cannot be read ({reason}).",
        "付费请求记录中的条目 {entry} 无法读取（{reason}）。",
        "It may have been paid for, so its inputs are not sent again. If a newer version of this "
        "pack wrote it, update this installation; otherwise tasks --forget {entry} lets the same "
        "inputs be paid for again.",
        "它可能已付费，因此不会再次发送相同输入。如果它由本插件的更新版本写入，请更新本插件；"
        "否则可用 tasks --forget {entry} 作废该记录，之后相同输入会重新付费。",
    ),
    "task_unrecorded": Wording(
        "The service has this request as task {task_id}, but what came of it is not written down. "
        "{reason}",
        "服务端已接受此请求（任务 {task_id}），但结果未能写入记录。{reason_zh}",
        "Note the task's id. Mend that, then fetch the task with Poll Task; nothing is sent again.",
        "请记下任务 ID；排除故障后用 Poll Task 取回，不会再次发送。",
    ),
    "answer_unrecorded": Wording(
        "The service has answered this request, but its answer is not written down. {reason}",
        "服务端已回答此请求，但回答未能写入记录。{reason_zh}",
        "Mend that before anything else; the service gave no task id by which to fetch it.",
        "请先排除故障；服务端没有给出可用于取回结果的任务 ID。",
    ),
    "image_unstorable": Wording(
        "An image that was made cannot be stored in {path}: {reason}.",
        "无法将已生成的图片保存到 {path}：{reason}。",
        "Free space, then run the same inputs again: the image is fetched, not paid for, again.",
        "请释放磁盘空间后用相同输入重新运行：只会重新下载，不会再次付费。",
    ),
    "store_full": Wording(
        "The output folder {path} cannot be written: {reason}.",
        "无法写入输出目录 {path}：{reason}。",
        "The images stay stored; run the same inputs again with another folder.",
        "图片仍已保存；请换一个目录用相同输入重新运行。",
    ),
    "out_unwritable": Wording(
        "{path} cannot be written: {reason}.",
        "无法写入 {path}：{reason}。",
        "Choose another file or folder.",
        "请换一个文件或目录。",
    ),
    "stored_error": Wording("An earlier run ended with: {reason}.", "此前的运行结果：{reason}。"),
}
