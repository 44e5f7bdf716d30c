"""What our own checks reject before anything is sent."""

from __future__ import annotations

from .message import Message

REQUESTS: dict[str, Message] = {
    "prompt_empty": Message(
        "prompt is empty.",
        "prompt（提示词）为空。",
        "Describe the image in words.",
        "请用文字描述画面。",
    ),
    "value_not_allowed": Message(
        "{field} is {given!r}, which {model} does not accept.",
        "{field} 的值 {given!r} 不适用于 {model}。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "value_malformed": Message(
        "{field} is {given!r}: {reason}.",
        "{field} 的值 {given!r} 无效：{reason}。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "input_malformed": Message(
        "The input {field} cannot be used: {reason}.",
        "输入 {field} 不可用：{reason}。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "input_unknown": Message(
        "The prompt sets the input {given!r}, which this node does not have. ComfyUI would ignore "
        "it without a message.",
        "提示（prompt）中的输入 {given!r} 在此节点中不存在，ComfyUI 会不加提示地将其忽略。",
        "Use {allowed} instead, or remove it.",
        "请改为 {allowed}，或将其删除。",
    ),
    "model_unknown": Message(
        "{given!r} is not a known model.",
        "未知的 model：{given!r}。",
        "Allowed: {allowed}. More models: see SEEDREAM_MODELS.",
        "允许的值：{allowed}。添加模型见 SEEDREAM_MODELS。",
    ),
    "field_not_of_model": Message(
        "{field} (given: {given!r}) does not exist for {model}.",
        "{model} 没有 {field} 参数（给出的值：{given!r}）。",
        "Leave it out. {model} accepts: {allowed}.",
        "请去掉该参数。{model} 接受：{allowed}。",
    ),
    "too_many_references": Message(
        "There are {given} reference images (every frame of a batch is one).",
        "参考图共有 {given} 张（批次中的每一帧都算一张）。",
        "Allowed for {model}: at most {allowed}.",
        "{model}：最多接受 {allowed} 张。",
    ),
    "references_and_results": Message(
        "{references} reference images and n = {n} add up to {given}.",
        "{references} 张参考图加上 n = {n}，合计 {given}。",
        "Allowed: at most {allowed} together; with {references} references n may be at most "
        "{most}.",
        "合计最多 {allowed}；有 {references} 张参考图时 n 最多为 {most}。",
    ),
    "reference_too_small": Message(
        "Reference image {position} is {width} x {height} pixels.",
        "第 {position} 张参考图为 {width} x {height} 像素。",
        "Allowed: each side at least {allowed} pixels.",
        "每边至少 {allowed} 像素。",
    ),
    "reference_too_large": Message(
        "Reference image {position} is {width} x {height}, {given} pixels in total.",
        "第 {position} 张参考图为 {width} x {height}，共 {given} 像素。",
        "Allowed: at most {allowed} pixels in total. Scale it down first.",
        "总像素数最多 {allowed}，请先缩小。",
    ),
    "reference_ratio": Message(
        "Reference image {position} is {width} x {height}: its sides are more than {allowed} to 1.",
        "第 {position} 张参考图为 {width} x {height}，长宽比超过 {allowed}:1。",
        "Allowed: from 1:{allowed} to {allowed}:1. Crop or pad it first.",
        "允许范围为 1:{allowed} 到 {allowed}:1，请先裁剪或补边。",
    ),
    "reference_unreadable": Message(
        "Reference image {position} ({given}) cannot be read as an image: {reason}.",
        "第 {position} 张参考图（{given}）无法作为图片读取：{reason}。",
        "Allowed: JPEG, PNG, WebP, BMP, TIFF and GIF files.",
        "支持 JPEG、PNG、WebP、BMP、TIFF 和 GIF 文件。",
    ),
    "reference_private": Message(
        "Reference image {position} is at {given}, which the service cannot reach: {host} is not "
        "on the public internet.",
        "第 {position} 张参考图位于 {given}，服务端无法访问：{host} 不在公网上。",
        "Use the image itself, as a file or a connected image. If the service can reach that host, "
        "set SEEDREAM_ALLOW_HOSTS={host}.",
        "请直接提供图片文件或连接图片。若服务端确实能访问该主机，请设置 "
        "SEEDREAM_ALLOW_HOSTS={host}。",
    ),
    "url_not_http": Message(
        "{given!r} in {field} is not an http or https address.",
        "{field} 中的 {given!r} 不是 http 或 https URL。",
        "Enter one full URL per line, such as https://example.com/picture.png.",
        "每行一个完整 URL，例如 https://example.com/picture.png。",
    ),
    "url_private": Message(
        "{given} leads to {address}, which is not on the public internet.",
        "{given} 指向 {address}，不是公网地址。",
        "Workflows may not fetch from such addresses. For your own host, set "
        "SEEDREAM_ALLOW_HOSTS={host}.",
        "工作流不能访问此类地址。若是自己的主机，请设置 SEEDREAM_ALLOW_HOSTS={host}。",
    ),
    "url_malformed": Message(
        "The URL {given!r} cannot be fetched: {reason}.",
        "无法获取 URL {given!r}：{reason}。",
        "Allowed: http and https URLs on the public internet, without a user name.",
        "仅支持公网的 http 和 https URL，且不得包含用户名。",
    ),
    "no_urls": Message(
        "urls is empty.",
        "urls 为空。",
        "Enter one URL per line, or link the urls output of another node.",
        "请每行填写一个 URL，或连接其他节点的 urls 输出。",
    ),
    "no_images": Message(
        "No image is connected.",
        "没有连接任何图片。",
        "Link at least one image.",
        "请至少连接一张图片。",
    ),
    "task_id_empty": Message(
        "task_id is empty. {unfinished}",
        "task_id 为空。{unfinished}",
        "Enter one task id per line, or link the task_id output of a Seedream Evolink node.",
        "请每行填写一个任务 ID，或连接 Seedream Evolink 节点的 task_id 输出。",
    ),
    "task_id_malformed": Message(
        "{given!r} in task_id is not a valid task ID.",
        "task_id 中的 {given!r} 不是有效的任务 ID。",
        "Allowed: letters, digits, and . _ : - , at most 200 characters; one id per line.",
        "仅限字母、数字和 . _ : - ，最多 200 个字符；每行一个。",
    ),
    "task_of_other_address": Message(
        "Task {task_id} was created at {saved}, but the address is now {address}.",
        "任务 {task_id} 创建于 {saved}，而当前地址是 {address}。",
        "Set DEEPSPACE_BASE_URL back to {saved} to collect it.",
        "请将 DEEPSPACE_BASE_URL 改回 {saved} 后再取回。",
    ),
    "session_not_open": Message(
        "This session is not open.",
        "此 Session 尚未打开。",
        "Open it with: async with Session() as session. With seedream_api.sync: with Session() as "
        "session",
        "请这样打开：async with Session() as session；"
        "使用 seedream_api.sync 时：with Session() as session",
    ),
    "session_used": Message(
        "This session was opened before, and cannot be used again.",
        "此 Session 已经打开过，不能再次使用。",
        "Create a new Session.",
        "请新建一个 Session。",
    ),
    "session_other_process": Message(
        "This session was opened in another process.",
        "此 Session 是在另一个进程中打开的。",
        "Open a Session in each worker after it was forked.",
        "请在每个工作进程派生之后各自打开 Session。",
    ),
    "session_in_callback": Message(
        "A callback cannot wait for the session that calls it.",
        "回调函数不能等待正在调用它的 Session。",
        "Let the callback return, and use the session afterwards or in another thread.",
        "请先让回调返回，之后再使用该 Session，或在其他线程中使用。",
    ),
    "session_other_loop": Message(
        "This session belongs to another event loop.",
        "此 Session 属于另一个事件循环。",
        "Open a Session in each call of asyncio.run, and use it there only.",
        "请在每次 asyncio.run 中各打开一个 Session，并只在其中使用。",
    ),
    "receipt_unreadable": Message(
        "{path} cannot be read: {reason}.",
        "无法读取 {path}：{reason}。",
        "Give a PNG file that ComfyUI saved.",
        "请提供 ComfyUI 保存的 PNG 文件。",
    ),
    "receipt_missing": Message(
        "{path} has no Seedream receipt.",
        "{path} 中没有 Seedream 凭据。",
        "Receipts are in PNG files that Save Image writes after a Seedream node. A file that "
        "another program saved again has usually lost it; SEEDREAM_RECEIPTS=off turns them off.",
        "只有 Seedream 节点之后由 Save Image 保存的 PNG 文件才含有凭据；"
        "经其他程序重新保存的文件通常已丢失；SEEDREAM_RECEIPTS=off 会关闭凭据。",
    ),
    "entry_unknown": Message(
        "The ledger has no task {given!r}.",
        "记录中没有任务 {given!r}。",
        "ComfyUI's Seedream panel lists the tasks (on the command line: tasks).",
        "ComfyUI 的 Seedream 面板中有列表（命令行：tasks）。",
    ),
    "entry_not_resumable": Message(
        "Task {given} was never sent, so there is nothing to resume.",
        "任务 {given} 从未发送，无可恢复。",
        "Run the same inputs again.",
        "请用相同输入重新运行。",
    ),
    "entry_running": Message(
        "Task {given} is in use by a running process.",
        "任务 {given} 正由某个运行中的进程处理。",
        "Wait until it ends, or stop that process first.",
        "请等待其完成，或先结束该进程。",
    ),
}
