"""Whether money was spent, and what to do when a request must not be sent again."""

from __future__ import annotations

CHARGE_TEXT: dict[str, tuple[str, str]] = {
    "none": ("Nothing was charged.", "未产生费用。"),
    "possible": ("It may have been charged.", "可能已经扣费。"),
    "running": (
        "The task is still running at the service and is charged when it completes.",
        "任务仍在服务端运行，完成后会扣费。",
    ),
    "paid": ("It is paid for.", "该请求已付费。"),
    "made": (
        "The images that were generated are paid for and stored.",
        "已生成的图片已付费并已保存。",
    ),
}

RESUBMIT_HINT = (
    "The same inputs will not be sent again. To send them deliberately, change the seed, forget "
    "this entry in ComfyUI's Seedream panel (on the command line: tasks --forget {entry})."
)
RESUBMIT_HINT_ZH = (
    "相同输入不会再次发送。若确实要重新生成，请更换 seed，或在 ComfyUI 的 Seedream 面板中"
    "作废该记录（命令行：tasks --forget {entry}）。"
)
