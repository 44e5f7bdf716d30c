"""Images that cannot be fetched or read, references that cannot be uploaded, and Cancel."""

from __future__ import annotations

from .charges import RESUBMIT_HINT, RESUBMIT_HINT_ZH
from .message import Message

RESULTS: dict[str, Message] = {
    # --- results ----------------------------------------------------------------------------------
    "result_gone": Message(
        "The images of this request can no longer be fetched: {reason}",
        "此请求的图片已无法取回：{reason}",
        RESUBMIT_HINT,
        RESUBMIT_HINT_ZH,
    ),
    "result_elsewhere": Message(
        "The images of this request can no longer be fetched on this machine: {reason}",
        "此请求的图片在本机已无法取回：{reason}",
        "A machine that shares this ledger stored them: run the same inputs there. "
        f"{RESUBMIT_HINT}",
        f"共用此记录的一台机器保存过这些图片：请在那台机器上用相同输入运行。{RESUBMIT_HINT_ZH}",
    ),
    "result_not_fetched": Message(
        "An image of this request could not be fetched: {reason}",
        "此请求的一张图片未能取回：{reason}",
        "Run the same inputs again: the image is fetched again, not paid for again.",
        "用相同输入重新运行：只会重新下载，不会再次付费。",
    ),
    "result_unreadable": Message(
        "An image of this request arrived damaged: {reason} Its bytes are kept in {path}.",
        "此请求的一张图片已损坏：{reason}其数据保存在 {path}。",
        "Run the same inputs again: the image is fetched again, not paid for again.",
        "用相同输入重新运行：只会重新下载，不会再次付费。",
    ),
    "download_failed": Message(
        "{given} could not be fetched: {reason}.",
        "无法获取 {given}：{reason}。",
    ),
    "download_too_large": Message(
        "{given} is larger than the limit of {allowed} bytes.",
        "{given} 超过 {allowed} 字节的上限。",
    ),
    "link_dead": Message(
        "{given} is no longer served (HTTP {http}): the link has expired, was removed, or needs "
        "a login.",
        "{given} 已无法访问（HTTP {http}）：链接已过期、已被删除或需要登录。",
    ),
    "download_no_image": Message(
        "{given} is not an image; the response looks like: {kind}.",
        "{given} 不是图片，收到的内容为：{kind}。",
        "Allowed: JPEG, PNG, WebP, BMP, TIFF and GIF files.",
        "支持 JPEG、PNG、WebP、BMP、TIFF 和 GIF 文件。",
    ),
    "picture_unreadable": Message(
        "{given} is not a readable image: {reason}.",
        "{given} 不是可读取的图片：{reason}。",
    ),
    "picture_too_large": Message(
        "{given} has {width} x {height} pixels, over the limit of {allowed} pixels.",
        "{given} 为 {width} x {height} 像素，超过 {allowed} 像素的上限。",
    ),
    "urls_failed": Message(
        "{failed} of {total} URLs could not be loaded. {reason}",
        "{total} 个 URL 中有 {failed} 个无法加载。{reason}",
        "Correct them; with on_error set to skip, the others are loaded.",
        "请修正 URL；on_error 设为 skip 时，会加载其中可用的图片。",
    ),
    # --- uploads ----------------------------------------------------------------------------------
    "upload_failed": Message(
        "Reference image {position} could not be uploaded to {way}: {reason}.",
        "第 {position} 张参考图通过 {way} 上传失败：{reason}。",
        "Check the settings of this upload target and run again.",
        "请检查该上传方式的设置后重新运行。",
    ),
    "bodies_too_large": Message(
        "With the reference images the request has {given} bytes even after compression.",
        "参考图压缩后请求仍有 {given} 字节。",
        "Allowed: {allowed} bytes. Use fewer or smaller references, or references by URL.",
        "最多 {allowed} 字节。请减少或缩小参考图，或使用参考图 URL。",
    ),
    # --- cancellation -----------------------------------------------------------------------------
    "interrupted_before": Message(
        "Cancelled before the request was sent.",
        "已在发送请求前取消。",
    ),
    "interrupted_after": Message(
        "Cancelled while the service works on the request; its response is still recorded.",
        "已取消；请求正在等待响应，响应仍会被记录。",
        "Run the same inputs again to get its images without paying again.",
        "用相同输入重新运行即可取得图片，不会再次付费。",
    ),
    "interrupted_unanswered": Message(
        "Cancelled before the service responded; the outcome of the request is unknown.",
        "已取消，服务尚未响应；请求结果未知。",
        f"Check the service's own task list before paying again. {RESUBMIT_HINT}",
        f"再次付费前请先查看服务方的记录。{RESUBMIT_HINT_ZH}",
    ),
    "interrupted_elsewhere": Message(
        "Cancelled; another process has sent the same request and is working on it.",
        "已取消；相同请求已由另一个进程发送，并仍在处理。",
        "Run the same inputs again to get its images without paying again.",
        "用相同输入重新运行即可取得图片，不会再次付费。",
    ),
    "interrupted_task": Message(
        "Cancelled while waiting for task {task_id}.",
        "已取消等待任务 {task_id}。",
        "Run the same inputs again, or enter this id in Poll Task, to get its images.",
        "用相同输入重新运行，或在 Poll Task（查询任务）中填写此 ID，即可取得图片。",
    ),
    "interrupted_stored": Message(
        "Cancelled; the result is stored and does not need to be paid for again.",
        "已取消；结果已保留，无需再次付费。",
        "Run the same inputs again to get its images.",
        "用相同输入重新运行即可取得图片。",
    ),
}
