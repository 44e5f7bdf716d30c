"""What people read when something fails, in English and Simplified Chinese.

The one place where error sentences stand. Each says what happened and what to do next; the sentence
about money comes from the error's charge, so no error can leave it out.
"""

from __future__ import annotations

from typing import NamedTuple


class Wording(NamedTuple):
    """What happened and what to do, as ``str.format`` templates."""

    en: str
    zh: str
    advice_en: str = ""
    advice_zh: str = ""


MONEY: dict[str, tuple[str, str]] = {
    "none": ("Nothing was charged.", "未产生费用。"),
    "possible": ("It may have been charged.", "可能已经扣费。"),
    "running": (
        "The task goes on at the service and is charged when it completes.",
        "任务仍在服务端运行，完成后会扣费。",
    ),
    "paid": ("It is paid for.", "该请求已付费。"),
    "made": (
        "The images that were made are paid for and stored.",
        "已生成的图片已付费并已保存。",
    ),
}

_NEW_TRY_EN = (
    "The same inputs will not be sent again. For a deliberate new try change the seed, or run: "
    "python -m seedream_api tasks --forget {entry}"
)
_NEW_TRY_ZH = (
    "相同输入不会再次发送。若确实要重新生成，请更换 seed，或运行："
    "python -m seedream_api tasks --forget {entry}"
)

WORDING: dict[str, Wording] = {
    # --- settings -------------------------------------------------------------------------------
    "no_key": Wording(
        "No API key is set.",
        "尚未设置 API 密钥。",
        "Three ways: set the environment variable DEEPSPACE_API_KEY; or save it in the settings "
        "file {path} (see the README); or build graphs for free in the built-in sandbox with "
        "DEEPSPACE_BASE_URL=sandbox.",
        "三种方式：设置环境变量 DEEPSPACE_API_KEY；或写入设置文件 {path}（见 README）；"
        "或用 DEEPSPACE_BASE_URL=sandbox 在内置沙盒中免费搭建工作流。",
    ),
    "key_of_other_address": Wording(
        "The saved key belongs to {saved}, but the address is now {address}.",
        "已保存的密钥属于 {saved}，而当前地址是 {address}。",
        "Save the key for this address again, or set DEEPSPACE_API_KEY in the environment.",
        "请为此地址重新保存密钥，或用环境变量 DEEPSPACE_API_KEY 提供。",
    ),
    "bad_address": Wording(
        "The service address {given!r} cannot be used: {reason}.",
        "服务地址 {given!r} 无法使用：{reason}。",
        "DEEPSPACE_BASE_URL takes https://host, http only to this machine, or the word sandbox.",
        "DEEPSPACE_BASE_URL 可填 https://主机、仅限本机的 http 地址，或 sandbox。",
    ),
    "bad_key": Wording(
        "The API key holds characters that no key has (blanks, line ends or non-ASCII letters).",
        "API 密钥中含有不应出现的字符（空格、换行或非 ASCII 字符）。",
        "Copy the key again, alone and whole.",
        "请重新完整复制密钥。",
    ),
    "bad_setting": Wording(
        "The setting {name} is {given!r} (from {origin}), which is not allowed.",
        "设置项 {name} 的值 {given!r}（来自{origin}）不被允许。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "bad_settings_file": Wording(
        "The settings file {path} cannot be read: {reason}.",
        "无法读取设置文件 {path}：{reason}。",
        "Correct it or move it away.",
        "请修正或移走该文件。",
    ),
    "bad_models_file": Wording(
        "The models file {path} (SEEDREAM_MODELS) cannot be used: {reason}.",
        "模型文件 {path}（SEEDREAM_MODELS）无法使用：{reason}。",
        'It holds a JSON list of {{"id": ..., "family": "preferential" or "evolink", '
        '"like": ...}}.',
        '其内容应为 JSON 列表：{{"id": ..., "family": "preferential" 或 "evolink", "like": ...}}。',
    ),
    "bad_proxy": Wording(
        "The proxy of the environment cannot be used: {reason}.",
        "环境变量中的代理无法使用：{reason}。",
        "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY (http://, https:// or socks5:// addresses).",
        "请检查 HTTP_PROXY、HTTPS_PROXY 和 ALL_PROXY（http://、https:// 或 socks5:// 地址）。",
    ),
    "bad_certificates": Wording(
        "The CA bundle {path} cannot be loaded: {reason}.",
        "无法加载 CA 证书文件 {path}：{reason}。",
        "Check SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE.",
        "请检查 SSL_CERT_FILE、SSL_CERT_DIR、REQUESTS_CA_BUNDLE 或 CURL_CA_BUNDLE。",
    ),
    "no_upload_way": Wording(
        "The model {model} takes reference images only as URLs, and no way to upload is set up.",
        "模型 {model} 的参考图只能以 URL 提供，而当前没有配置任何上传方式。",
        "Set up one of three: an S3 bucket (SEEDREAM_UPLOAD_S3_BUCKET), Evolink's files "
        "(SEEDREAM_UPLOAD_EVOLINK_KEY), an image host (SEEDREAM_UPLOAD_HTTP_URL). Or give URLs in "
        "image_urls; or use a Preferential model, which takes images inline; or set "
        "SEEDREAM_UPLOAD=inline to try inline images here knowingly; or use the sandbox.",
        "请配置以下三种方式之一：S3 存储桶（SEEDREAM_UPLOAD_S3_BUCKET）、Evolink 文件服务"
        "（SEEDREAM_UPLOAD_EVOLINK_KEY）、图床（SEEDREAM_UPLOAD_HTTP_URL）。也可在 image_urls "
        "中填写 URL；或改用可内联图片的 Preferential 模型；"
        "或设置 SEEDREAM_UPLOAD=inline 明确尝试内联；或使用沙盒。",
    ),
    "no_url_way": Wording(
        "No way to upload is set up, and inline images have no URL.",
        "当前没有配置任何上传方式，而内联图片没有 URL。",
        "Set up one of three: an S3 bucket (SEEDREAM_UPLOAD_S3_BUCKET), Evolink's files "
        "(SEEDREAM_UPLOAD_EVOLINK_KEY), an image host (SEEDREAM_UPLOAD_HTTP_URL), with "
        "SEEDREAM_UPLOAD=auto; or use the sandbox.",
        "请在 SEEDREAM_UPLOAD=auto 下配置以下三种方式之一：S3 存储桶（SEEDREAM_UPLOAD_S3_BUCKET）、"
        "Evolink 文件服务（SEEDREAM_UPLOAD_EVOLINK_KEY）、图床（SEEDREAM_UPLOAD_HTTP_URL）；"
        "或使用沙盒。",
    ),
    "upload_way_missing": Wording(
        "SEEDREAM_UPLOAD is {way}, but {missing} is not set.",
        "SEEDREAM_UPLOAD 为 {way}，但未设置 {missing}。",
        "Set it, or set SEEDREAM_UPLOAD=auto.",
        "请设置该项，或将 SEEDREAM_UPLOAD 设为 auto。",
    ),
    "bad_upload_key": Wording(
        "{name} holds characters that no key has (blanks, line ends or non-ASCII letters).",
        "{name} 中含有不应出现的字符（空格、换行或非 ASCII 字符）。",
        "Copy the key again, alone and whole.",
        "请重新完整复制密钥。",
    ),
    "no_s3_library": Wording(
        "Uploading to an S3 bucket needs the library obstore, which is not installed.",
        "上传到 S3 存储桶需要 obstore 库，但尚未安装。",
        'Install it: "{python}" -m pip install "{package}"',
        '请安装："{python}" -m pip install "{package}"',
    ),
    "wrong_use": Wording(
        "The command cannot be run: {reason}.",
        "命令无法执行：{reason}。",
        "{usage}",
        "{usage}",
    ),
    # --- our own checks -------------------------------------------------------------------------
    "prompt_empty": Wording(
        "prompt is empty.",
        "prompt（提示词）为空。",
        "Describe the picture in words.",
        "请用文字描述画面。",
    ),
    "value_not_allowed": Wording(
        "{field} is {given!r}, which {model} does not take.",
        "{field} 的值 {given!r} 不适用于 {model}。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "value_malformed": Wording(
        "{field} is {given!r}: {reason}.",
        "{field} 的值 {given!r} 无效：{reason}。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "model_unknown": Wording(
        "model is {given!r}, which is not known.",
        "未知的 model：{given!r}。",
        "Allowed: {allowed}. More models: see SEEDREAM_MODELS.",
        "允许的值：{allowed}。添加模型见 SEEDREAM_MODELS。",
    ),
    "field_not_of_model": Wording(
        "{field} (given: {given!r}) does not exist for {model}.",
        "{model} 没有 {field} 参数（给出的值：{given!r}）。",
        "Leave it out. {model} takes: {allowed}.",
        "请去掉该参数。{model} 接受：{allowed}。",
    ),
    "too_many_references": Wording(
        "There are {given} reference images (every frame of a batch is one).",
        "参考图共有 {given} 张（批次中的每一帧都算一张）。",
        "Allowed: at most {allowed}.",
        "最多允许 {allowed} 张。",
    ),
    "references_and_results": Wording(
        "{references} reference images and n = {n} make {given}.",
        "{references} 张参考图加上 n = {n}，合计 {given}。",
        "Allowed: at most {allowed} together; with {references} references n may be at most "
        "{most}.",
        "合计最多 {allowed}；有 {references} 张参考图时 n 最多为 {most}。",
    ),
    "reference_too_small": Wording(
        "Reference image {position} is {width} x {height} pixels.",
        "第 {position} 张参考图为 {width} x {height} 像素。",
        "Allowed: each side at least {allowed} pixels.",
        "每边至少 {allowed} 像素。",
    ),
    "reference_too_large": Wording(
        "Reference image {position} is {width} x {height}, {given} pixels in all.",
        "第 {position} 张参考图为 {width} x {height}，共 {given} 像素。",
        "Allowed: at most {allowed} pixels in all. Scale it down first.",
        "总像素数最多 {allowed}，请先缩小。",
    ),
    "reference_ratio": Wording(
        "Reference image {position} is {width} x {height}: its sides are more than {allowed} to 1.",
        "第 {position} 张参考图为 {width} x {height}，长宽比超过 {allowed}:1。",
        "Allowed: from 1:{allowed} to {allowed}:1. Crop or pad it first.",
        "允许范围为 1:{allowed} 到 {allowed}:1，请先裁剪或补边。",
    ),
    "reference_unreadable": Wording(
        "Reference image {position} ({given}) cannot be read as an image: {reason}.",
        "第 {position} 张参考图（{given}）无法作为图片读取：{reason}。",
        "Allowed: JPEG, PNG, WebP, BMP, TIFF and GIF files.",
        "支持 JPEG、PNG、WebP、BMP、TIFF 和 GIF 文件。",
    ),
    "url_not_http": Wording(
        "{field} holds {given!r}, which is no http or https address.",
        "{field} 中的 {given!r} 不是 http 或 https 地址。",
        "Allowed: one full address a line, such as https://example.com/picture.png.",
        "每行一个完整地址，例如 https://example.com/picture.png。",
    ),
    "url_private": Wording(
        "{given} leads to {address}, which is not on the public internet.",
        "{given} 指向 {address}，不是公网地址。",
        "Such addresses are refused in workflows. For a host of your own set "
        "SEEDREAM_ALLOW_HOSTS={host}.",
        "工作流中的此类地址会被拒绝。若是自己的主机，请设置 SEEDREAM_ALLOW_HOSTS={host}。",
    ),
    "url_malformed": Wording(
        "The address {given!r} cannot be fetched: {reason}.",
        "无法获取地址 {given!r}：{reason}。",
        "Allowed: http and https addresses of the public internet, without a user name in them.",
        "仅支持公网的 http 和 https 地址，且地址中不得包含用户名。",
    ),
    "no_urls": Wording(
        "urls is empty.",
        "urls 为空。",
        "Give one address a line, or link the urls output of another node.",
        "请每行填写一个地址，或连接其他节点的 urls 输出。",
    ),
    "no_images": Wording(
        "No image is connected.",
        "没有连接任何图片。",
        "Link at least one image.",
        "请至少连接一张图片。",
    ),
    "task_id_empty": Wording(
        "task_id is empty. {unfinished_en}",
        "task_id 为空。{unfinished_zh}",
        "Give one task id a line, or link the task_id output of a Seedream Evolink node.",
        "请每行填写一个任务 ID，或连接 Seedream Evolink 节点的 task_id 输出。",
    ),
    "task_id_malformed": Wording(
        "task_id holds {given!r}, which no task id looks like.",
        "task_id 中的 {given!r} 不像任务 ID。",
        "Allowed: letters, digits, and . _ : - , at most 200 characters; one id a line.",
        "仅限字母、数字和 . _ : - ，最多 200 个字符；每行一个。",
    ),
    "task_of_other_address": Wording(
        "Task {task_id} was made at {saved}, but the address is now {address}.",
        "任务 {task_id} 创建于 {saved}，而当前地址是 {address}。",
        "Set DEEPSPACE_BASE_URL back to {saved} to collect it.",
        "请将 DEEPSPACE_BASE_URL 改回 {saved} 后再取回。",
    ),
    "entry_unknown": Wording(
        "The record holds no task {given!r}.",
        "记录中没有任务 {given!r}。",
        "python -m seedream_api tasks lists them.",
        "运行 python -m seedream_api tasks 可查看列表。",
    ),
    "entry_not_resumable": Wording(
        "Task {given} was never sent, so there is nothing to resume.",
        "任务 {given} 从未发送，无可恢复。",
        "Run the same inputs again.",
        "请用相同输入重新运行。",
    ),
    "entry_running": Wording(
        "Task {given} is being worked on by a running process.",
        "任务 {given} 正由某个运行中的进程处理。",
        "Wait for it, or end that process first.",
        "请等待其完成，或先结束该进程。",
    ),
    # --- record and store -----------------------------------------------------------------------
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
    "stored_error": Wording("An earlier run ended with: {reason}.", "此前的运行结果：{reason}。"),
    # --- transport ------------------------------------------------------------------------------
    "not_sent": Wording(
        "The service at {host} could not be reached: {reason}.",
        "无法连接服务 {host}：{reason}。",
        "Check the network and the proxy settings; python -m seedream_api doctor looks closer.",
        "请检查网络和代理设置；运行 python -m seedream_api doctor 可进一步诊断。",
    ),
    "outcome_unknown": Wording(
        "The request was sent, but its outcome is unknown: {reason}.",
        "请求已发送，但结果未知：{reason}。",
        f"Look at the service's own list before paying again. {_NEW_TRY_EN}",
        f"再次付费前请先查看服务方的记录。{_NEW_TRY_ZH}",
    ),
    "outcome_unknown_crash": Wording(
        "An earlier run ended while this request was being sent; its outcome is unknown.",
        "此前的运行在发送此请求时中断，结果未知。",
        f"Look at the service's own list before paying again. {_NEW_TRY_EN}",
        f"再次付费前请先查看服务方的记录。{_NEW_TRY_ZH}",
    ),
    "read_failed": Wording(
        "The service gave no usable answer to a free request: {reason}.",
        "服务未对免费请求给出可用的回答：{reason}。",
        "Try again later.",
        "请稍后重试。",
    ),
    # --- refused --------------------------------------------------------------------------------
    "refused": Wording(
        "The service refused the request (HTTP {http}{code}): {reason}",
        "服务拒绝了请求（HTTP {http}{code}）：{reason}",
        "Change what it names and run again.",
        "请按其说明修改后重新运行。",
    ),
    "refused_key": Wording(
        "The service does not accept the key (HTTP {http}{code}): {reason}",
        "服务不接受此密钥（HTTP {http}{code}）：{reason}",
        "Check the key, its expiry and the models allowed to it in the service's console.",
        "请在服务控制台检查密钥、有效期及其可用模型。",
    ),
    "refused_balance": Wording(
        "The balance is too low (HTTP {http}{code}): {reason}",
        "余额不足（HTTP {http}{code}）：{reason}",
        "Top up the account or raise this key's quota, then run again.",
        "请充值或提高此密钥的额度后重新运行。",
    ),
    "refused_content": Wording(
        "Moderation refused the prompt or an image (HTTP {http}{code}): {reason}",
        "内容审核未通过（HTTP {http}{code}）：{reason}",
        "Change the prompt or the reference images.",
        "请修改提示词或参考图。",
    ),
    "refused_too_large": Wording(
        "The request's body is too large for the service (HTTP {http}{code}): {reason}",
        "请求体超过服务上限（HTTP {http}{code}）：{reason}",
        "Use fewer or smaller reference images, or references by URL.",
        "请减少或缩小参考图，或以 URL 提供参考图。",
    ),
    "refused_not_found": Wording(
        "The service does not know the model or the path (HTTP {http}{code}): {reason}",
        "服务不认识该模型或路径（HTTP {http}{code}）：{reason}",
        "Check the model's name and DEEPSPACE_BASE_URL.",
        "请检查模型名称和 DEEPSPACE_BASE_URL。",
    ),
    "refused_rate": Wording(
        "The service answered too many requests (HTTP {http}{code}) for {waited} s: {reason}",
        "服务在 {waited} 秒内一直返回请求过多（HTTP {http}{code}）：{reason}",
        "Wait a while, or lower SEEDREAM_MAX_SUBMITS.",
        "请稍后再试，或降低 SEEDREAM_MAX_SUBMITS。",
    ),
    "refused_channel": Wording(
        "The relay has no channel for this model now (HTTP {http}{code}): {reason}",
        "中转站目前没有此模型的可用通道（HTTP {http}{code}）：{reason}",
        "Check that the key's group may use the model, or try later.",
        "请确认密钥所在分组可用此模型，或稍后再试。",
    ),
    # --- tasks ----------------------------------------------------------------------------------
    "task_failed": Wording(
        "Task {task_id} failed at the service: {reason}",
        "任务 {task_id} 在服务端失败：{reason}",
        "Running the same inputs again makes a new task.",
        "用相同输入重新运行会创建新任务。",
    ),
    "task_failed_content": Wording(
        "Task {task_id} was stopped by moderation: {reason}",
        "任务 {task_id} 未通过内容审核：{reason}",
        "Change the prompt or the reference images.",
        "请修改提示词或参考图。",
    ),
    "task_not_found": Wording(
        "The service does not know task {task_id} (any more): {reason}",
        "服务（已）找不到任务 {task_id}：{reason}",
        "Check the id and the key; tasks expire some time after they end.",
        "请检查 ID 和密钥；任务结束一段时间后会过期。",
    ),
    "task_of_other_key": Wording(
        "Task {task_id} was made with another key, so this key cannot read it: {reason}",
        "任务 {task_id} 由另一个密钥创建，当前密钥无法读取：{reason}",
        "Set the key that made it and run again.",
        "请换回创建它的密钥后重新运行。",
    ),
    "wait_timed_out": Wording(
        "Task {task_id} is still {word} after {waited} s of waiting.",
        "等待 {waited} 秒后，任务 {task_id} 仍为 {word}。",
        "Run the same inputs again to go on waiting, or give this id to Poll Task.",
        "用相同输入重新运行可继续等待，或把此 ID 交给 Poll Task（查询任务）。",
    ),
    "completed_without_images": Wording(
        "The service says that the request completed but names no image.",
        "服务表示请求已完成，但没有给出任何图片。",
        _NEW_TRY_EN,
        _NEW_TRY_ZH,
    ),
    "partial_result": Wording(
        "{failed} of {total} images failed, and SEEDREAM_PARTIAL is fail: {reason}",
        "{total} 张图片中有 {failed} 张失败，且 SEEDREAM_PARTIAL 为 fail：{reason}",
        "With SEEDREAM_PARTIAL=keep the same inputs give the stored part, free.",
        "设置 SEEDREAM_PARTIAL=keep 后，相同输入可免费取得已保存的部分。",
    ),
    # --- results --------------------------------------------------------------------------------
    "result_gone": Wording(
        "The images of this request can no longer be fetched: {reason}",
        "此请求的图片已无法取回：{reason}",
        _NEW_TRY_EN,
        _NEW_TRY_ZH,
    ),
    "result_not_fetched": Wording(
        "An image of this request could not be fetched: {reason}",
        "此请求的一张图片未能取回：{reason}",
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
        "Correct them, or set on_error to skip.",
        "请修正地址，或将 on_error 设为 skip。",
    ),
    # --- uploads --------------------------------------------------------------------------------
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
    # --- the end of a run -----------------------------------------------------------------------
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
