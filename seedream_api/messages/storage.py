"""The ledger and the image store cannot be read or written."""

from __future__ import annotations

from .message import Message

STORAGE: dict[str, Message] = {
    "ledger_unwritable": Message(
        "The ledger of paid requests in {path} cannot be written: {reason}.",
        "无法写入付费请求记录 {path}：{reason}。",
        "Free disk space or correct the folder's permissions, then run again; without the ledger "
        "nothing is sent.",
        "请释放磁盘空间或修复目录权限后重试；没有记录就不会发送任何请求。",
    ),
    "ledger_broken": Message(
        "The ledger of paid requests in {path} is damaged ({reason}); it is kept as {aside}.",
        "付费请求记录 {path} 已损坏（{reason}），已另存为 {aside}。",
        "The next run creates a new ledger, which does not know what was paid for before: collect "
        "open tasks with Poll Task before running their inputs again.",
        "下次运行将新建记录，新记录不知道以前付过费的请求："
        "重新运行前请先用 Poll Task 取回未完成的任务。",
    ),
    "ledger_newer": Message(
        "The ledger in {path} was written by a newer version of this pack.",
        "记录 {path} 由本插件的更新版本写入。",
        "Update this installation, or use another SEEDREAM_HOME.",
        "请更新本插件，或使用另一个 SEEDREAM_HOME。",
    ),
    "ledger_forked": Message(
        "The ledger of paid requests in {path} is open in the parent of this forked process, "
        "and cannot be used here.",
        "付费请求记录 {path} 由父进程打开，无法在 fork 出的子进程中使用。",
        "Nothing is sent. Open a new Session in the child, or start it with the spawn method.",
        "不会发送任何请求。请在子进程中新建 Session，或使用 spawn 方式启动子进程。",
    ),
    "ledger_emptied": Message(
        "The ledger of paid requests in {path} is empty, but what was paid for before is stored "
        "beside it.",
        "付费请求记录 {path} 是空文件，但旁边存有以前付费的内容。",
        "Nothing is sent until you decide: restore the file from a backup, or delete it (and "
        "a file ending in -wal beside it) to create a new ledger, which does not know what was "
        "paid for before.",
        "在处理之前不会发送任何请求：请从备份恢复该文件；或删除它（以及旁边以 -wal 结尾的文件）"
        "以新建记录，新记录不知道以前付过费的请求。",
    ),
    "ledger_log_damaged": Message(
        "The log {path} of the ledger of paid requests is damaged.",
        "付费请求记录的日志 {path} 已损坏。",
        "Nothing is sent until you decide: restore the log from a backup, or move it to another "
        "folder to use the ledger without its latest entries; the same inputs would then be paid "
        "for again.",
        "在处理之前不会发送任何请求：请从备份恢复该日志；或将它移到其他目录，"
        "以使用缺少最近条目的记录，但这些条目对应的输入会重新付费。",
    ),
    "ledger_unreachable": Message(
        "The ledger of paid requests at {path} cannot be reached: {reason}.",
        "无法连接付费请求记录 {path}：{reason}。",
        "Nothing is sent without it, and what was paid for is not lost. Check that the database "
        "runs and that SEEDREAM_LEDGER is correct, then run again.",
        "没有记录就不会发送任何请求，已付费的内容也不会丢失。"
        "请检查数据库是否运行、SEEDREAM_LEDGER 是否正确，然后重试。",
    ),
    "ledger_driver_missing": Message(
        "SEEDREAM_LEDGER names a PostgreSQL database, but psycopg is not installed.",
        "SEEDREAM_LEDGER 指向 PostgreSQL 数据库，但未安装 psycopg。",
        'Nothing was sent. Install it:\n    "{python}" -m pip install "psycopg[binary]>=3.2,<4"',
        '未发送任何请求。请安装：\n    "{python}" -m pip install "psycopg[binary]>=3.2,<4"',
    ),
    "ledger_missing": Message(
        "There is no ledger of paid requests in {path}.",
        "{path} 中没有付费请求记录。",
        "Name the data folder that contains ledger.sqlite.",
        "请指定包含 ledger.sqlite 的数据目录。",
    ),
    "ledger_not_empty": Message(
        "The ledger of paid requests at {path} already has entries, so nothing was copied.",
        "付费请求记录 {path} 中已有条目，未复制任何内容。",
        "Copy into a new database, or into a data folder without a ledger.",
        "请复制到新的数据库，或没有记录的数据目录。",
    ),
    "ledger_in_use": Message(
        "A process works on entries of the ledger of paid requests at {path}, so nothing was "
        "copied.",
        "有进程正在处理付费请求记录 {path} 中的条目，未复制任何内容。",
        "Stop every ComfyUI and program that uses this ledger, then copy again.",
        "请停止使用此记录的所有 ComfyUI 和程序，然后重新复制。",
    ),
    "row_not_copied": Message(
        "Entry {entry} of the table {table} cannot be copied exactly, so nothing was copied.",
        "表 {table} 中的条目 {entry} 无法原样复制，未复制任何内容。",
        "The source is unchanged; keep using it.",
        "源记录没有改变，请继续使用它。",
    ),
    "row_taken_over": Message(
        "Another process took over entry {entry} of the ledger of paid requests, because this one "
        "had lost its connection to the database.",
        "本进程曾与数据库断开，付费请求记录中的条目 {entry} 已由其他进程接管。",
        "This process sends nothing for it. Run the same inputs again to get the result of the "
        "other process.",
        "本进程不会为它发送请求。用相同输入重新运行，即可得到另一进程的结果。",
    ),
    "entry_unreadable": Message(
        "Entry {entry} of the ledger of paid requests cannot be read ({reason}).",
        "付费请求记录中的条目 {entry} 无法读取（{reason}）。",
        "It may have been paid for, so its inputs are not sent again. If a newer version of this "
        "pack wrote it, update this installation; otherwise tasks --forget {entry} lets the same "
        "inputs be paid for again.",
        "它可能已付费，因此不会再次发送相同输入。如果它由本插件的更新版本写入，请更新本插件；"
        "否则可用 tasks --forget {entry} 作废该记录，之后相同输入会重新付费。",
    ),
    "task_unrecorded": Message(
        "The service accepted this request as task {task_id}, but its outcome could not be "
        "recorded. {reason}",
        "服务端已接受此请求（任务 {task_id}），但结果未能写入记录。{reason}",
        "Note the task id. Solve the problem, then fetch the task with Poll Task; nothing is sent "
        "again.",
        "请记下任务 ID；排除故障后用 Poll Task 取回，不会再次发送。",
    ),
    "answer_unrecorded": Message(
        "The service has responded to this request, but its response could not be recorded. "
        "{reason}",
        "服务端已响应此请求，但响应未能写入记录。{reason}",
        "Solve the problem before anything else; the service gave no task id to fetch it with.",
        "请先排除故障；服务端没有给出可用于取回结果的任务 ID。",
    ),
    "image_unstorable": Message(
        "A generated image cannot be stored in {path}: {reason}.",
        "无法将已生成的图片保存到 {path}：{reason}。",
        "Free disk space, then run the same inputs again: the image is fetched again, not paid "
        "for again.",
        "请释放磁盘空间后用相同输入重新运行：只会重新下载，不会再次付费。",
    ),
    "store_full": Message(
        "The output folder {path} cannot be written: {reason}.",
        "无法写入输出目录 {path}：{reason}。",
        "The images stay stored; run the same inputs again with another folder.",
        "图片仍已保存；请换一个目录用相同输入重新运行。",
    ),
    "out_unwritable": Message(
        "{path} cannot be written: {reason}.",
        "无法写入 {path}：{reason}。",
        "Choose another file or folder.",
        "请换一个文件或目录。",
    ),
    "stored_error": Message("An earlier run ended with: {reason}.", "此前的运行结果：{reason}。"),
}
