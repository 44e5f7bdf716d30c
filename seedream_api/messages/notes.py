"""What a report's ``notes`` say, and what ComfyUI's canvas and a terminal show of the work.

The English is what the code says, by which the Chinese is found: see ``phrases.py``.
"""

from __future__ import annotations

NOTES: dict[str, str] = {
    "{field} = {value} was sent, but a neighbouring source doubts it: {doubt}": (
        "已发送 {field} = {value}，但另有资料存疑：{doubt}"
    ),
    "Evolink lists 1K for Seedream 4.0 only ({source})": (
        "Evolink 只为 Seedream 4.0 列出 1K（{source}）"
    ),
    "Evolink lists fast for Seedream 4.0 only ({source})": (
        "Evolink 只为 Seedream 4.0 列出 fast（{source}）"
    ),
    "Ark gives 4.5 as JPEG only ({source})": "Ark 的 4.5 只输出 JPEG（{source}）",
    "the prompt has {count} characters; over {limit} may be cut ({source})": (
        "提示词有 {count} 个字符；超过 {limit} 的部分可能被截断（{source}）"
    ),
    "{count} references were sent; an older page allows {limit} ({source})": (
        "已发送 {count} 张参考图；较早的资料只允许 {limit} 张（{source}）"
    ),
    "{source}: longer is sent with a note": "{source}：更长的仍会发送并注明",
    "{source}: up to 10; more are sent with a note": "{source}：最多 10 张；更多的仍会发送并注明",
    "{made} of at most {asked} images came: n is an upper limit, and the prompt must ask for "
    "several": "最多 {asked} 张，实际得到 {made} 张：n 只是上限，提示词必须要求多张",
    "the prompt gives an input that this node does not have: {name}": (
        "提示（prompt）中有此节点不存在的输入：{name}"
    ),
    "reduced from {before} to {after} pixels, the service's limit ({side} a side, {all} in all)": (
        "已从 {before} 缩小到 {after} 像素，这是服务的上限（每边 {side}，总计 {all}）"
    ),
    "sent as JPEG of quality {quality}: lossless takes more than {bytes} bytes": (
        "以质量 {quality} 的 JPEG 发送：无损格式超过 {bytes} 字节"
    ),
    "{quality}, colours at half resolution": "{quality}、色彩分辨率减半",
    "{name}: its transparency was composited on white": "{name}：透明部分已合成到白色背景",
    "entry {entry} of the record cannot be read in full: {columns}": (
        "记录中的条目 {entry} 无法完整读取：{columns}"
    ),
    "image {number}": "第 {number} 张图",
    "{name}, frame {number}": "{name} 第 {number} 帧",
    "{name}, item {number}": "{name} 第 {number} 项",
    "several pages: the first is used": "有多页：使用第一页",
    "animated: the first of {count} frames is used": "动图：使用第一帧（帧数：{count}）",
    "animated: the first frame is used": "动图：使用第一帧",
    "at least {count}": "至少 {count}",
    "16 bits a channel reduced to 8": "每通道 16 位已降为 8 位",
    "colour profile converted to sRGB": "颜色配置已转换为 sRGB",
    "colour profile ignored: {reason}": "已忽略颜色配置：{reason}",
    "it describes {space} pixels": "它描述的是 {space} 像素",
    "the store was over SEEDREAM_STORE_GB: {count} delivered image(s), {size} MB, were removed, "
    "the oldest first": (
        "图片存储超过 SEEDREAM_STORE_GB：已按从旧到新移除 {count} 张已交付的图片，共 {size} MB"
    ),
}

ORIGINS: dict[str, tuple[str, str]] = {
    "new": ("new", "新生成"),
    "resumed": ("picked up again, not sent anew", "继续此前的任务，未重新发送"),
    "stored": (
        "stored result, nothing charged; change the seed for a new one",
        "已保存的结果，未扣费；更换 seed 可重新生成",
    ),
    "joined": ("joined an equal request, one charge for both", "与相同请求合并，只扣费一次"),
}
"""By the value of a ``results.Origin``: how a person is told, in English and Chinese."""

PHASES: dict[str, tuple[str, str]] = {
    "preparing": ("Preparing", "准备中"),
    "uploading": ("Sending references", "上传参考图"),
    "submitting": ("Submitting", "提交中"),
    "waiting": ("Waiting for the same request", "等待相同请求"),
    "queued": ("Queued", "排队中"),
    "processing": ("Processing", "生成中"),
    "downloading": ("Downloading", "下载中"),
    "done": ("Done", "完成"),
}
"""By the value of a ``results.Phase``: how a person is told, in English and Chinese."""
