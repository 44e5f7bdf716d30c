"""Images that cannot be fetched or read, references that do not travel, and Cancel."""

from __future__ import annotations

from .charges import NEW_TRY_EN, NEW_TRY_ZH
from .message import Wording

RESULTS: dict[str, Wording] = {
    # --- results ----------------------------------------------------------------------------------
    "result_gone": Wording(
        "The images of this request can no longer be fetched: {reason}",
        "此请求的图片已无法取回：{reason}",
        NEW_TRY_EN,
        NEW_TRY_ZH,
    ),
    "result_not_fetched": Wording(
        "An image of this request could not be fetched: {reason}",
        "此请求的一张图片未能取回：{reason}",
        "Run the same inputs again: it is fetched, not paid for, again.",
        "用相同输入重新运行：只会重新下载，不会再次付费。",
    ),
    "result_unreadable": Wording(
        "An image of this request arrived damaged: {reason} Its bytes are kept in {path}.",
        "此请求的一张图片已损坏：{reason}其数据保存在 {path}。",
        "Run the same inputs again: it is fetched, not paid for, again.",
        "用相同输入重新运行：只会重新下载，不会再次付费。",
    ),
    "download_failed": Wording(
        "{given} could not be fetched: {reason}.",
        "无法获取 {given}：{reason}。",
    ),
    "download_too_large": Wording(
        "{given} is larger than the limit of {allowed} bytes.",
        "{given} 超过 {allowed} 字节的上限。",
    ),
    "link_dead": Wording(
        "{given} is no longer served (HTTP {http}): the link has expired, was removed, or needs "
        "a login.",
        "{given} 已无法访问（HTTP {http}）：链接已过期、已被删除或需要登录。",
    ),
    "download_no_image": Wording(
        "{given} is no image; what came looks like: {kind}.",
        "{given} 不是图片，收到的内容为：{kind}。",
        "Allowed: JPEG, PNG, WebP, BMP, TIFF and GIF files.",
        "支持 JPEG、PNG、WebP、BMP、TIFF 和 GIF 文件。",
    ),
    "picture_unreadable": Wording(
        "{given} is no readable image: {reason}.",
        "{given} 不是可读取的图片：{reason}。",
    ),
    "picture_too_large": Wording(
        "{given} has {width} x {height} pixels, over the limit of {allowed} pixels.",
        "{given} 为 {width} x {height} 像素，超过 {allowed} 像素的上限。",
    ),
    "urls_failed": Wording(
        "{failed} of {total} addresses could not be loaded. {reason}",
        "{total} 个地址中有 {failed} 个无法加载。{reason}",
        "Correct them; with on_error set to skip, those that can be loaded are.",
        "请修正地址；on_error 设为 skip 时，会加载其中可用的图片。",
    ),
    # --- uploads ----------------------------------------------------------------------------------
    "upload_failed": Wording(
        "Reference image {position} could not be uploaded by way of {way}: {reason}.",
        "第 {position} 张参考图通过 {way} 上传失败：{reason}。",
        "Check that way's settings and run again.",
        "请检查该上传方式的设置后重新运行。",
    ),
    "bodies_too_large": Wording(
        "The reference images make a request of {given} bytes even when compressed.",
        "参考图压缩后请求仍有 {given} 字节。",
        "Allowed: {allowed} bytes. Use fewer or smaller references, or references by URL.",
        "最多 {allowed} 字节。请减少或缩小参考图，或以 URL 提供参考图。",
    ),
    # --- the end of a run -------------------------------------------------------------------------
    "interrupted_before": Wording(
        "Cancelled before the request was sent.",
        "已在发送请求前取消。",
    ),
    "interrupted_after": Wording(
        "Cancelled while the request is being answered; the answer is still written down.",
        "已取消；请求正在等待回答，回答仍会被记录。",
        "Run the same inputs again to get its images without paying again.",
        "用相同输入重新运行即可取得图片，不会再次付费。",
    ),
    "interrupted_unanswered": Wording(
        "Cancelled before the service answered; what became of the request is unknown.",
        "已取消，服务尚未回答；请求结果未知。",
        f"Look at the service's own list before paying again. {NEW_TRY_EN}",
        f"再次付费前请先查看服务方的记录。{NEW_TRY_ZH}",
    ),
    "interrupted_elsewhere": Wording(
        "Cancelled; the same request was sent by another process, which works on it.",
        "已取消；相同请求已由另一个进程发送，并仍在处理。",
        "Run the same inputs again to get its images without paying again.",
        "用相同输入重新运行即可取得图片，不会再次付费。",
    ),
    "interrupted_task": Wording(
        "Cancelled; task {task_id} still runs at the service.",
        "已取消；任务 {task_id} 仍在服务端运行。",
        "Run the same inputs again, or give this id to Poll Task, to get its images.",
        "用相同输入重新运行，或把此 ID 交给 Poll Task（查询任务），即可取得图片。",
    ),
    "interrupted_stored": Wording(
        "Cancelled; the result is kept and needs no new payment.",
        "已取消；结果已保留，无需再次付费。",
        "Run the same inputs again to get its images.",
        "用相同输入重新运行即可取得图片。",
    ),
}
