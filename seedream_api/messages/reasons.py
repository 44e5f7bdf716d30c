"""Parts of error sentences by key: the reason, and what is allowed."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    # --- values and settings ---------------------------------------------------------------------
    "unparsable": ("it cannot be parsed", "无法解析"),
    "deleted": ("it was deleted", "已被删除"),
    "moved_in_use": ("it was moved or deleted while it was in use", "使用期间被移动或删除"),
    "not_http_url": ("it is not an http or https address", "不是 http 或 https 地址"),
    "has_user_name": ("it contains a user name", "其中含有用户名"),
    "has_query": ("it has a query or fragment", "其中含有查询参数或片段"),
    "not_proxy_url": (
        "it is not an http, https or socks5 address",
        "不是 http、https 或 socks5 地址",
    ),
    "has_path": ("it has a path, query or fragment", "其中含有路径、查询参数或片段"),
    "key_in_clear": ("plain http would send the key unencrypted", "明文 http 会泄露密钥"),
    "not_json_object": ("it is not a JSON object", "内容不是 JSON 对象"),
    "profiles_not_objects": (
        "profiles is not an object of objects",
        "profiles 不是由对象组成的对象",
    ),
    "a_text": ("a text", "文本"),
    "a_value": ("a value", "一个值"),
    "host_name_characters": (
        "letters, digits, dots, dashes and underscores",
        "字母、数字、点、短横线和下划线",
    ),
    "an_image": ("an IMAGE", "IMAGE 图像"),
    "value_is": ("its value is {value}", "其值为 {value}"),
    "empty_link": ("its link provides no value", "其连接没有给出任何值"),
    "not_a_tensor": ("an IMAGE is a tensor, not {type}", "IMAGE 应为张量，而不是 {type}"),
    "image_shape": (
        "an IMAGE is [B, H, W, 1, 3 or 4] or [H, W, ...], not {shape}",
        "IMAGE 的形状应为 [B, H, W, 1、3 或 4] 或 [H, W, ...]，而不是 {shape}",
    ),
    "image_not_float": ("an IMAGE holds floats, not {type}", "IMAGE 应为浮点数，而不是 {type}"),
    "image_without_pixels": (
        "an IMAGE of {shape} has no pixels",
        "形状为 {shape} 的 IMAGE 没有像素",
    ),
    "empty_batch": ("the batch is empty", "批次中没有任何一帧"),
    "a_request": ("a Request", "Request 对象"),
    "a_function": ("an ordinary function", "普通函数"),
    "asynchronous": ("it is asynchronous", "它是异步函数"),
    "not_seconds": ("it is not a number of seconds to wait", "不是可等待的秒数"),
    "seconds_range": ("more than 0, at most {most}", "大于 0，至多 {most}"),
    "picture_needed": ("a PictureReference is required", "需要 PictureReference 对象"),
    "array_shape": ("its shape is {shape}", "其形状为 {shape}"),
    "array_type": ("its values are {type}", "其值的类型为 {type}"),
    "array_range": ("its values range from {low} to {high}", "其值的范围为 {low} 到 {high}"),
    "pixel_forms": (
        "a PIL image, or an array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of whole numbers "
        "0-255, 16-bit values or floats 0-1",
        "PIL 图像，或形状为 [H, W]、[H, W, 1]、[H, W, 3]、[H, W, 4] 的数组，值为 0-255 的整数、"
        "16 位值或 0-1 的浮点数",
    ),
    "whole_number": ("a whole number", "整数"),
    "number_range": ("a number from {low} to {high}", "{low} 到 {high} 之间的数"),
    "true_or_false": ("true or false", "true 或 false"),
    "list_of_references": ("a list of references", "参考图列表"),
    "missing": ("it is missing", "缺少该项"),
    "no_such_field": ("there is no such field", "没有这个参数"),
    "needs_library": (
        "reading it needs the library {library}; install it with pip",
        "读取它需要 {library} 库，请用 pip 安装",
    ),
    "wrong_type": ("it is a {type}", "其类型为 {type}"),
    "incomplete_character": (
        "character {place} is not a complete Unicode character",
        "第 {place} 个位置不是完整的 Unicode 字符",
    ),
    "undecodable_argument": (
        "this process cannot read its encoding: set LC_ALL=C.UTF-8 or PYTHONUTF8=1",
        "当前进程无法识别其编码：请设置 LC_ALL=C.UTF-8 或 PYTHONUTF8=1",
    ),
    "url_or_preset": ("an http or https address, or {presets}", "http 或 https 地址，或 {presets}"),
    "url_without_login": (
        "an http or https address without user name and query",
        "不含用户名和查询参数的 http 或 https 地址",
    ),
    "https_with_secret": ("https, because a secret is sent along", "附带密钥时必须为 https"),
    "json_of_texts": (
        'a JSON object of texts, such as {{"X-API-Key": "..."}}',
        '值为文本的 JSON 对象，例如 {{"X-API-Key": "..."}}',
    ),
    "ascii_only": (
        "printable ASCII characters in names and values",
        "名称和值只能包含可打印的 ASCII 字符",
    ),
    "client_does_not_upload": ("the bare client does not upload", "单独的客户端不上传图片"),
    "references_by_url": (
        "references by URL; generate takes images too",
        "参考图 URL；generate 也接受图片",
    ),
    "not_json_type": ("its content type is not application/json", "内容类型不是 application/json"),
    "not_a_number": ("{name} is not a number", "{name} 不是数字"),
    "no_such_format": ("there is no format {given}", "没有 {given} 格式"),
    "no_such_state": ("there is no such state", "没有这种状态"),
    "inputs_not_object": ("inputs is not a JSON object", "inputs 不是 JSON 对象"),
    "unfinished_tasks": ("Unfinished tasks: {tasks}.", "未完成的任务：{tasks}。"),
    "makes_no_images": ("{kind} makes no images", "{kind} 不生成图片"),
    "inputs_not_texts": (
        "prompt, model and image_urls must be texts",
        "prompt、model 和 image_urls 应为文本",
    ),
    "origin_arguments": ("command line", "命令行"),
    "origin_panel": ("settings panel", "设置面板"),
    "origin_code": ("code", "程序代码"),
    "origin_environment": ("environment", "环境变量"),
    "origin_file": ("settings file", "设置文件"),
    "origin_default": ("default", "默认值"),
    "origin_other_address": ("saved for {address}", "为 {address} 保存"),
    "no_address": ("no address", "无地址"),
    # --- responses -------------------------------------------------------------------------------
    "unreadable_response": (
        "a response that cannot be read, HTTP {status}",
        "无法解读的响应，HTTP {status}",
    ),
    "too_long_to_keep": ("it was too long to be kept", "过长，未完整保存"),
    "item_without_image": ("an entry without an image", "没有图片的条目"),
    "item_not_image": ("an entry that is not an image", "不是图片的条目"),
    "item_without_url": ("an entry without a usable URL", "没有可用 URL 的条目"),
    # --- URLs ------------------------------------------------------------------------------------
    "url_too_long": ("it has more than {count} characters", "超过 {count} 个字符"),
    "odd_characters": (
        "it contains a space, a control character or a backslash",
        "含有空格、控制字符或反斜杠",
    ),
    "no_host": ("it has no host", "没有主机名"),
    "host_unreadable": ("its host or port cannot be read", "主机名或端口无法识别"),
    "port_out_of_range": ("its port is not between 1 and 65535", "端口不在 1 到 65535 之间"),
    "host_not_ipv6": ("its host is not an IPv6 address", "主机不是 IPv6 地址"),
    "host_not_a_name": ("its host name is not valid", "主机名无效"),
    "host_odd_spelling": (
        "its host is an unusual spelling of {address}",
        "主机是 {address} 的异常写法",
    ),
    "host_ends_in_number": (
        "its host ends in a number but is not an IP address",
        "主机名以数字结尾，又不是 IP 地址",
    ),
    "host_unresolved": ("its host cannot be resolved ({reason})", "无法解析主机名（{reason}）"),
    "host_without_address": ("{host} has no address", "{host} 没有地址"),
    "redirect_not_http": (
        "it redirects to something other than an http or https address",
        "它重定向到的不是 http 或 https 地址",
    ),
    "no_url": ("it has no URL", "没有 URL"),
    # --- connections -----------------------------------------------------------------------------
    "connect_timed_out": ("connecting timed out", "连接超时"),
    "no_response_in_time": ("no response in time", "未在规定时间内响应"),
    "connection_cut": ("the connection was cut", "连接中断"),
    "connection_cut_because": ("the connection was cut ({reason})", "连接中断（{reason}）"),
    "for_seconds": (" for {seconds} s", "，已持续 {seconds} 秒"),
    "no_reason": ("no reason given", "未说明原因"),
    "closed_before_request": (
        "the server closed the connection before the request",
        "服务器在请求发出前关闭了连接",
    ),
    "ended_before_request": (
        "the server closed the connection before it had the whole request",
        "服务器在收到完整请求前结束了连接",
    ),
    "sent_by_others": (
        "something other than this pack tried to send it again",
        "本插件以外的程序试图再次发送它",
    ),
    "no_status_line": ("the response has no status line", "响应没有状态行"),
    "endless_headers": ("the headers do not end", "响应头不完整"),
    "chunk_without_size": ("a chunk has no size", "响应的分块没有长度"),
    "chunk_too_long": ("a chunk is longer than its size", "响应的分块超过其长度"),
    "longer_than_announced": ("the response is longer than announced", "响应超过其声明的长度"),
    "send_timed_out": ("the server accepted no data in time", "服务器未在规定时间内接收数据"),
    "response_too_large": ("the response exceeds {count} bytes", "响应超过 {count} 字节"),
    # --- downloads -------------------------------------------------------------------------------
    "no_location": ("HTTP {status} without a Location", "HTTP {status}，但没有 Location"),
    "too_many_redirects": ("more than {count} redirects", "重定向超过 {count} 次"),
    "deadline_passed": ("it did not arrive within {seconds} s", "未在 {seconds} 秒内完成"),
    "stalled": (
        "less than {bytes} bytes arrived in {seconds} s",
        "{seconds} 秒内收到的数据不足 {bytes} 字节",
    ),
    "compressed": (
        "the server compressed it without being asked to ({coding})",
        "服务器返回了未请求的压缩内容（{coding}）",
    ),
    "wrong_range": ("the server continued at the wrong position", "服务器从错误的位置继续传送"),
    "restarts": ("it started over repeatedly and never arrived whole", "多次重新开始，始终不完整"),
    "response_empty": ("the response is empty", "响应为空"),
    "compression_damaged": ("its compressed body is damaged", "压缩内容已损坏"),
    "image_cut": ("the image was cut off", "图片被截断"),
    "image_without_end": ("the end of the image is missing", "图片缺少结尾"),
    "no_base64_image": ("it contains no base64 image", "其中没有 base64 图片"),
    "base64_damaged": ("its base64 text is damaged", "base64 文本已损坏"),
    "nothing_arrived": ("nothing arrived", "没有得到任何内容"),
    "not_stored": ("it is not stored", "未保存"),
    "response_without_image": ("the response contains no image", "响应中没有图片"),
    # --- images ----------------------------------------------------------------------------------
    "out_of_memory": ("there is not enough memory to decode it", "内存不足，无法解码"),
    "no_file": ("the file does not exist", "文件不存在"),
    "header_broken": ("its header is broken", "文件头已损坏"),
    "too_many_scans": ("it has more than {count} scans", "扫描次数超过 {count}"),
    "file_too_short": ("the file ends too early", "文件不完整"),
    "file_empty": ("it is empty", "文件为空"),
    "looks_like": ("its first bytes look like: {kind}", "开头的字节像是：{kind}"),
    "format_unknown": ("its first bytes match no known format", "开头的字节不属于已知格式"),
    "size_invalid": ("it is {width} x {height} pixels", "其尺寸为 {width} x {height} 像素"),
    "size_changed": (
        "it is {width} x {height} pixels now and had another size before",
        "其尺寸已变为 {width} x {height} 像素，与此前不同",
    ),
    "mode_without_range": (
        "a PIL image of mode {mode} has no known range",
        "模式为 {mode} 的 PIL 图像没有确定的取值范围",
    ),
    "pixels_32_bit": (
        "its pixels are 32-bit numbers without a known white level",
        "像素为 32 位数值，白点未知",
    ),
    "pixel_mode": (
        "its pixels have the mode {mode}, which cannot be shown as colors",
        "像素类型为 {mode}，不是可显示的颜色",
    ),
    # --- uploads ---------------------------------------------------------------------------------
    "host_unreachable": ("{host} could not be reached ({reason})", "无法连接 {host}（{reason}）"),
    "upload_without_url": ("its response contains no URL ({said})", "其响应中没有 URL（{said}）"),
    "upload_bad_url": (
        "its response contains an unusable URL ({given}): {reason}",
        "其响应中的 URL 无法使用（{given}）：{reason}",
    ),
    "upload_not_json": (
        "its response is neither JSON nor a URL ({said})",
        "其响应既不是 JSON 也不是 URL（{said}）",
    ),
    "http_status": ("HTTP {status}", "HTTP {status}"),
    "http_status_said": ("HTTP {status}: {said}", "HTTP {status}：{said}"),
    "html_page": ("an HTML page", "一个 HTML 页面"),
    "upload_key_rejected": (
        "it does not accept {setting} ({said})",
        "它不接受 {setting}（{said}）",
    ),
    "evolink_40001": ("the file is too large for it ({said})", "文件超过其上限（{said}）"),
    "evolink_40002": (
        "it does not accept this file type ({said})",
        "它不接受这种文件类型（{said}）",
    ),
    "evolink_40003": (
        "its quota is used up (100 files, VIP 500): delete old files there or wait, they are "
        "kept for 72 hours ({said})",
        "其配额已用完（100 个文件，VIP 500）：请删除旧文件或等待，文件保留 72 小时（{said}）",
    ),
    "evolink_40004": ("it could not fetch the file ({said})", "它无法获取该文件（{said}）"),
    "evolink_50001": ("its storage failed ({said})", "其存储出错（{said}）"),
    "s3_no_bucket": ("there is no bucket {bucket} ({said})", "没有存储桶 {bucket}（{said}）"),
    "s3_credentials": ("the credentials are not accepted ({said})", "凭据不被接受（{said}）"),
    "store_unread": (
        "the shared store cannot be read ({reason})",
        "无法读取共享存储（{reason}）",
    ),
    "store_differs": ("it returned other bytes than were written", "读取的内容与写入的不同"),
    "upload_private": (
        "it was accepted, but the service cannot reach its URL: {host} is not on the public "
        "internet",
        "已上传，但服务端无法访问其 URL：{host} 不在公网上",
    ),
    "upload_not_served": (
        "it was accepted, but its URL does not serve it: {reason}",
        "已上传，但其 URL 无法取回：{reason}",
    ),
    "upload_differs": (
        "it was accepted, but its URL serves another image: {found} pixels instead of {sent}",
        "已上传，但其 URL 给出另一张图片：{found} 像素，而非 {sent}",
    ),
    # --- files -----------------------------------------------------------------------------------
    "folder_of_other_user": ("{folder} belongs to another user", "{folder} 属于其他用户"),
    "not_renamed": ("{reason}; it cannot be renamed: {other}", "{reason}；无法改名：{other}"),
}
