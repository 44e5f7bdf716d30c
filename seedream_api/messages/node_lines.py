"""Lines under a running node, for programs that queue a workflow without ComfyUI's page."""

from __future__ import annotations

NODE_LINES: dict[str, tuple[str, str]] = {
    "line_call": ("call {number} of {count}", "第 {number} 次，共 {count} 次"),
    "line_place": ("place {place} in the queue", "排在第 {place} 位"),
    "line_images": ("{count} images", "{count} 张图"),
    "line_images_one": ("1 image", "1 张图"),
    "line_failed": ("{count} failed, see report", "{count} 张失败，详见报告"),
    "line_submitted": ("submitted, wait is off", "已提交（未等待）"),
    "line_pending": ("not ready yet, run again", "尚未完成，请稍后再运行"),
    "line_empty": ("no images", "没有图片"),
    "line_loaded": ("{count} of {total} images loaded", "已载入 {count} / {total} 张图"),
    "line_uploaded": (
        "{new} uploaded, {reused} already there",
        "新上传 {new} 张，复用已上传的 {reused} 张",
    ),
}
