"""What a report's ``notes`` say by key, and how origins and phases are shown."""

from __future__ import annotations

NOTES: dict[str, tuple[str, str]] = {
    "doubted": ("{field} = {value} was sent, but {doubt}", "已发送 {field} = {value}，但{doubt}"),
    "prompt_long": (
        "the prompt has {count} characters; text beyond {limit} may be cut ({source})",
        "提示词有 {count} 个字符；超过 {limit} 的部分可能被截断（{source}）",
    ),
    "references_many": (
        "{count} references were sent; an older page allows {limit} ({source})",
        "已发送 {count} 张参考图；较早的资料只允许 {limit} 张（{source}）",
    ),
    "limit_prompt": (
        "{source}: longer prompts are sent with a note",
        "{source}：更长的仍会发送并注明",
    ),
    "limit_references": (
        "{source}: up to 10; more are sent with a note",
        "{source}：最多 10 张；更多的仍会发送并注明",
    ),
    "fewer_images": (
        "{made} of at most {asked} images arrived: n is an upper limit, and the prompt must "
        "ask for several images",
        "最多 {asked} 张，实际得到 {made} 张：n 只是上限，需在提示词中写明要多张",
    ),
    "unknown_input": (
        "the prompt sets an input that this node does not have: {name}",
        "提示（prompt）中有此节点不存在的输入：{name}",
    ),
    "reduced": (
        "reduced from {before} to {after} pixels, the service's limit ({side} per side, {all} "
        "in total)",
        "已从 {before} 缩小到 {after} 像素，这是服务的上限（每边 {side}，总计 {all}）",
    ),
    "sent_as_jpeg": (
        "sent as JPEG of quality {quality}: a lossless file would exceed {bytes} bytes",
        "以质量 {quality} 的 JPEG 发送：无损格式超过 {bytes} 字节",
    ),
    "half_color": ("{quality}, colors at half resolution", "{quality}、色彩分辨率减半"),
    "composited": (
        "{name}: its transparency was composited on white",
        "{name}：透明部分已合成到白色背景",
    ),
    "entry_damaged": (
        "entry {entry} of the ledger cannot be read in full: {columns}",
        "记录中的条目 {entry} 无法完整读取：{columns}",
    ),
    "image_number": ("image {number}", "第 {number} 张图"),
    "frame_number": ("{name}, frame {number}", "{name} 第 {number} 帧"),
    "item_number": ("{name}, item {number}", "{name} 第 {number} 项"),
    "heif_converted": (
        "{name} is {kind}, which the service does not accept; it was converted.",
        "{name} 为 {kind} 格式，服务端不接受；已转换格式。",
    ),
    "note_of": ("{name}: {note}", "{name}：{note}"),
    "several_pages": ("several pages: the first is used", "有多页：使用第一页"),
    "animated": ("animated: the first frame is used", "动图：使用第一帧"),
    "bits_reduced": ("16 bits per channel reduced to 8", "每通道 16 位已降为 8 位"),
    "profile_converted": ("color profile converted to sRGB", "颜色配置已转换为 sRGB"),
    "profile_ignored": ("color profile ignored: {reason}", "已忽略颜色配置：{reason}"),
    "profile_space": ("it describes {space} pixels", "它描述的是 {space} 像素"),
    "pruned_cache": (
        "the data folder exceeded SEEDREAM_STORE_GB: removed {count} image(s), {size} MB, which "
        "the shared store holds",
        "数据目录超过 SEEDREAM_STORE_GB：已移除 {count} 张共享存储中已有的图片，共 {size} MB",
    ),
    "not_shared": (
        "the images are stored on this machine, but not in the shared store yet: {reason}; this "
        "is tried again later",
        "图片已保存在本机，但尚未写入共享存储：{reason}；稍后会重试",
    ),
    "pruned": (
        "the store exceeded SEEDREAM_STORE_GB: removed {count} delivered image(s), {size} MB, the "
        "oldest first",
        "图片存储超过 SEEDREAM_STORE_GB：已按从旧到新移除 {count} 张已交付的图片，共 {size} MB",
    ),
}

ORIGINS: dict[str, tuple[str, str]] = {
    "new": ("new", "新生成"),
    "resumed": ("resumed, not sent again", "继续此前的任务，未重新发送"),
    "stored": (
        "stored result, nothing charged; change the seed for a new one",
        "已保存的结果，未扣费；更换 seed 可重新生成",
    ),
    "joined": ("merged with an identical request, charged once", "与相同请求合并，只扣费一次"),
}
"""By the value of a ``results.Origin``: what people read, in English and Chinese."""

PHASES: dict[str, tuple[str, str]] = {
    "preparing": ("Preparing", "准备中"),
    "uploading": ("Uploading reference images", "上传参考图"),
    "submitting": ("Submitting", "提交中"),
    "waiting": ("Waiting for an identical request", "等待相同请求"),
    "queued": ("Queued", "排队中"),
    "processing": ("Processing", "生成中"),
    "downloading": ("Downloading", "下载中"),
    "done": ("Done", "完成"),
}
"""By the value of a ``results.Phase``: what people read, in English and Chinese."""
