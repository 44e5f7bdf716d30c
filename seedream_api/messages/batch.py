"""Texts and errors of batches."""

from __future__ import annotations

from .message import Message

BATCH_TEXTS: dict[str, tuple[str, str]] = {
    "row_mistake": ("row {row}: {reason}", "第 {row} 行：{reason}"),
    "cell_mistake": ("row {row}, {column}: {reason}", "第 {row} 行 {column}：{reason}"),
    "more_mistakes": ("and {count} more", "另有 {count} 处"),
    "too_many_cells": ("it has more cells than the header line", "单元格多于标题行"),
    "no_such_column": ("there is no such column (known: {allowed})", "没有此列（可用：{allowed}）"),
    "name_twice": ("row {row} has the same name", "与第 {row} 行同名"),
    "cell_not_allowed": ("{given!r} is not allowed ({allowed})", "{given!r} 无效（{allowed}）"),
    "files_or_urls": ("files or URLs, separated by |", "文件或 URL，用 | 分隔"),
    "batch_total": (
        "{rows} rows: {stored} stored already, {to_send} to send, at most {images} images charged",
        "共 {rows} 行：已保存 {stored}，待发送 {to_send}，最多扣费 {images} 张",
    ),
    "batch_total_cost": ("{total}, at most {amount}", "{total}，最多 {amount}"),
    "batch_limit_left": (
        "{name}: {left} of {limit} left",
        "{name}：剩余 {left}，上限 {limit}",
    ),
    "batch_progress": (
        "{done} of {rows} rows · {failed} failed · {rate} rows/min · {left}",
        "{done}/{rows} 行 · 失败 {failed} · 每分钟 {rate} 行 · {left}",
    ),
    "batch_row_done": ("row {row}: {images} images", "第 {row} 行：{images} 张"),
    "batch_row_stored": ("row {row}: stored, not charged", "第 {row} 行：已保存，未扣费"),
    "batch_row_failed": ("row {row}: {reason}", "第 {row} 行：{reason}"),
    "batch_done": (
        "{done} of {rows} rows have images; {failed} failed; {images} images charged. {path}",
        "{rows} 行中 {done} 行有图片，{failed} 行失败；扣费 {images} 张。{path}",
    ),
    "batch_rest": (
        "Run the same command again to send what is missing; nothing is paid for twice.",
        "再次运行同一命令即可补齐缺少的部分，不会重复付费。",
    ),
    "batch_node_progress": (
        "{done} of {rows} rows, {failed} failed",
        "{done}/{rows} 行，失败 {failed}",
    ),
    "batch_node_total": (
        "{to_send} to send, at most {images} images charged",
        "待发送 {to_send}，最多扣费 {images} 张",
    ),
    "batch_node_unclear": (
        "{rows} failed row(s) may have been charged",
        "{rows} 个失败行可能已扣费",
    ),
    "batch_node_done": (
        "{images} image(s) · {failed} failed · {charged} charged",
        "{images} 张图 · 失败 {failed} · 扣费 {charged} 张",
    ),
    "urls_only": ("URLs only: a workflow must not read files", "只接受 URL：工作流不得读取文件"),
    "sheet_written": ("Contact sheet: {path}", "缩略图总览：{path}"),
}

BATCH_ERRORS: dict[str, Message] = {
    "batch_invalid": Message(
        "The batch has {count} mistakes: {reason}.",
        "批量任务中有 {count} 处错误：{reason}。",
        "Correct the rows and run it again; nothing was sent.",
        "请更正这些行后重新运行；没有发送任何请求。",
    ),
    "batch_empty": Message(
        "The batch has no rows.",
        "批量任务中没有任何行。",
        "Give one row per request, below a header line such as: prompt,model,seed",
        "每个请求一行，位于标题行之下，例如：prompt,model,seed",
    ),
    "batch_unreadable": Message(
        "The batch cannot be read from {path}: {reason}.",
        "无法从 {path} 读取批量任务：{reason}。",
        "It must be CSV or JSON Lines in UTF-8.",
        "须为 UTF-8 编码的 CSV 或 JSON Lines。",
    ),
}
