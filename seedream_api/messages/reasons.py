"""Why: the clauses inside an error's sentence, as its ``reason`` or what is ``allowed``.

The English is what the code says, by which the Chinese is found: see ``phrases.py``.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    # --- values and settings --------------------------------------------------------------------
    "it cannot be taken apart": "无法解析",
    "it was deleted": "已被删除",
    "it was moved or deleted while it was in use": "使用期间被移动或删除",
    "it is no http or https address": "不是 http 或 https 地址",
    "it holds a user name": "其中含有用户名",
    "it has a query or fragment": "其中含有查询参数或片段",
    "it is no http, https or socks5 address": "不是 http、https 或 socks5 地址",
    "it has a path, query or fragment": "其中含有路径、查询参数或片段",
    "plain http would send the key in the clear": "明文 http 会泄露密钥",
    "it holds no JSON object": "内容不是 JSON 对象",
    "it is no list of objects": "内容不是对象列表",
    "an entry has no id: {entry}": "有一项没有 id：{entry}",
    "{model}: family {given} is none of {allowed}": "{model}：family {given} 不在 {allowed} 之中",
    "{model}: like {given} must be one of {allowed}": "{model}：like {given} 必须是 {allowed} 之一",
    "a text": "文本",
    "a value": "一个值",
    "letters, digits, dots, dashes and underscores": "字母、数字、点、短横线和下划线",
    "an IMAGE": "IMAGE 图像",
    "its value is {value}": "其值为 {value}",
    "its link brings no value": "其连接没有给出任何值",
    "an IMAGE is a tensor, not {type}": "IMAGE 应为张量，而不是 {type}",
    "an IMAGE is [B, H, W, 1, 3 or 4] or [H, W, ...], not {shape}": (
        "IMAGE 的形状应为 [B, H, W, 1、3 或 4] 或 [H, W, ...]，而不是 {shape}"
    ),
    "an IMAGE holds floats, not {type}": "IMAGE 应为浮点数，而不是 {type}",
    "an IMAGE of {shape} has no pixels": "形状为 {shape} 的 IMAGE 没有像素",
    "the batch holds no frame": "批次中没有任何一帧",
    "a Request": "Request 对象",
    "an ordinary function": "普通函数",
    "it is asynchronous": "它是异步函数",
    "it is not a number of seconds to wait": "不是可等待的秒数",
    "more than 0, at most {most}": "大于 0，至多 {most}",
    "a PictureReference is needed": "需要 PictureReference 对象",
    "its shape is {shape}": "其形状为 {shape}",
    "its values are {type}": "其值的类型为 {type}",
    "its values go from {low} to {high}": "其值的范围为 {low} 到 {high}",
    "a PIL image, or an array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of whole numbers 0-255, "
    "16-bit values or floats 0-1": (
        "PIL 图像，或形状为 [H, W]、[H, W, 1]、[H, W, 3]、[H, W, 4] 的数组，"
        "值为 0-255 的整数、16 位值或 0-1 的浮点数"
    ),
    "a whole number": "整数",
    "a number from {low} to {high}": "{low} 到 {high} 之间的数",
    "true or false": "true 或 false",
    "a list of references": "参考图列表",
    "it is missing": "缺少该项",
    "there is no such field": "没有这个参数",
    "it is a {type}": "其类型为 {type}",
    "it holds half of a character at place {place}": "第 {place} 个位置不是完整的 Unicode 字符",
    "this process cannot read its encoding: set LC_ALL=C.UTF-8 or PYTHONUTF8=1": (
        "当前进程无法识别其编码：请设置 LC_ALL=C.UTF-8 或 PYTHONUTF8=1"
    ),
    "an http or https address, or {presets}": "http 或 https 地址，或 {presets}",
    "an http or https address without user name and query": (
        "不含用户名和查询参数的 http 或 https 地址"
    ),
    "https, where a secret is sent along": "附带密钥时必须为 https",
    'a JSON object of texts, such as {{"X-API-Key": "..."}}': (
        '值为文本的 JSON 对象，例如 {{"X-API-Key": "..."}}'
    ),
    "printable ASCII characters in names and values": "名称和值只能包含可打印的 ASCII 字符",
    "--older-than and --keep-gb go with --prune": "--older-than 和 --keep-gb 需与 --prune 一起使用",
    "the bare client does not upload": "单独的客户端不上传图片",
    "references by URL; generate takes images too": "以 URL 提供的参考图；generate 也接受图片",
    "its content type is not application/json": "内容类型不是 application/json",
    "{name} is no number": "{name} 不是数字",
    "there is no such state": "没有这种状态",
    "inputs is no JSON object": "inputs 不是 JSON 对象",
    "{kind} makes no images": "{kind} 不生成图片",
    "prompt, model and image_urls are texts": "prompt、model 和 image_urls 应为文本",
    "settings panel": "设置面板",
    "environment": "环境变量",
    "settings file": "设置文件",
    "default": "默认值",
    "saved for {address}": "为 {address} 保存",
    "no address": "无地址",
    # --- responses ------------------------------------------------------------------------------
    "Proxy Server could not connect": "代理服务器无法连接",
    "the connection was cut": "连接中断",
    "a response that cannot be read, HTTP {status}": "无法解读的响应，HTTP {status}",
    "an entry without an image": "没有图片的条目",
    "an entry that is not an image": "不是图片的条目",
    "an entry without a usable address": "没有可用地址的条目",
    # --- addresses ------------------------------------------------------------------------------
    "it has more than {count} characters": "超过 {count} 个字符",
    "it holds a blank, a control character or a backslash": "含有空格、控制字符或反斜杠",
    "it has no host": "没有主机名",
    "its host or port cannot be read": "主机名或端口无法识别",
    "its port is not from 1 to 65535": "端口不在 1 到 65535 之间",
    "its host is no IPv6 address": "主机不是 IPv6 地址",
    "its host is no name": "主机名无效",
    "its host is an odd spelling of {address}": "主机是 {address} 的异常写法",
    "its host ends in a number and is no address": "主机名以数字结尾，又不是地址",
    "its host cannot be resolved ({reason})": "无法解析主机名（{reason}）",
    "it redirects to what is no http or https address": "它重定向到的不是 http 或 https 地址",
    "it has no address": "没有地址",
    # --- connections ----------------------------------------------------------------------------
    "connecting timed out": "连接超时",
    "no answer in time": "未在规定时间内回答",
    "the connection was cut ({reason})": "连接中断（{reason}）",
    "an answer that cannot be read, HTTP {status}": "回答无法识别，HTTP {status}",
    "no reason given": "未说明原因",
    "the server closed the connection before the request": "服务器在请求发出前关闭了连接",
    "the server ended the exchange before it had the request": "服务器在收到完整请求前结束了连接",
    "the response has no status line": "响应没有状态行",
    "the headers have no end": "响应头不完整",
    "a chunk has no size": "响应的分块没有长度",
    "a chunk is longer than its size": "响应的分块超过其长度",
    "the response is longer than it announces": "响应超过其声明的长度",
    "no byte was taken in time": "服务器未在规定时间内接收数据",
    "the answer has over {count} bytes": "回答超过 {count} 字节",
    # --- downloads ------------------------------------------------------------------------------
    "HTTP {status} without a Location": "HTTP {status}，但没有 Location",
    "more than {count} redirects": "重定向超过 {count} 次",
    "it did not arrive within {seconds} s": "未在 {seconds} 秒内完成",
    "less than {bytes} bytes came in {seconds} s": "{seconds} 秒内收到的数据不足 {bytes} 字节",
    "the server compressed it, unasked ({coding})": "服务器擅自压缩了内容（{coding}）",
    "the server went on at another place": "服务器从别的位置继续传送",
    "it began again and again and never came whole": "多次重新开始，始终不完整",
    "the answer is empty": "回答为空",
    "its compressed body is damaged": "压缩内容已损坏",
    "the image was cut off": "图片被截断",
    "the end of the image is missing": "图片缺少结尾",
    "no base64 image in it": "其中没有 base64 图片",
    "its base64 text is damaged": "base64 文本已损坏",
    "it gave nothing": "没有得到任何内容",
    "it is not stored": "未保存",
    "it names no image": "没有给出图片",
    # --- pictures -------------------------------------------------------------------------------
    "there is not enough memory to decode it": "内存不足，无法解码",
    "the file does not exist": "文件不存在",
    "its header is broken": "文件头已损坏",
    "it has more than {count} scans": "扫描次数超过 {count}",
    "the file ends too early": "文件不完整",
    "it is empty": "文件为空",
    "its first bytes look like: {kind}": "开头的字节像是：{kind}",
    "its first bytes are of no known format": "开头的字节不属于已知格式",
    "it is {width} x {height} pixels": "其尺寸为 {width} x {height} 像素",
    "its pixels are 32-bit numbers, which have no known white": "像素为 32 位数值，白点未知",
    "its pixels are of the kind {mode}, not colours that can be shown": (
        "像素类型为 {mode}，不是可显示的颜色"
    ),
    # --- uploads --------------------------------------------------------------------------------
    "{host} could not be reached ({reason})": "无法连接 {host}（{reason}）",
    "its answer names no URL ({said})": "其回答中没有 URL（{said}）",
    "its answer is no usable URL ({given}): {reason}": (
        "其回答中的 URL 无法使用（{given}）：{reason}"
    ),
    "its answer is no JSON and no URL ({said})": "其响应既不是 JSON 也不是 URL（{said}）",
    "an HTML page": "一个 HTML 页面",
    "it does not accept {setting} or _FIELDS ({said})": "它不接受 {setting} 或 _FIELDS（{said}）",
    "it does not accept {setting} ({said})": "它不接受 {setting}（{said}）",
    "the file is too large for it ({said})": "文件超过其上限（{said}）",
    "it does not take this file type ({said})": "它不接受这种文件类型（{said}）",
    "its quota is used up (100 files, VIP 500): delete old files there or wait, they live for 72 "
    "hours ({said})": (
        "其配额已用完（100 个文件，VIP 500）：请删除旧文件或等待，文件保留 72 小时（{said}）"
    ),
    "it could not fetch the file ({said})": "它无法获取该文件（{said}）",
    "its storage failed ({said})": "其存储出错（{said}）",
    "there is no bucket {bucket} ({said})": "没有存储桶 {bucket}（{said}）",
    "the credentials are not accepted ({said})": "凭据不被接受（{said}）",
    "it was taken, but the service cannot reach its URL: {host} is not on the public internet": (
        "已上传，但服务端无法访问其 URL：{host} 不在公网上"
    ),
    "it was taken, but its URL does not serve it: {reason}": "已上传，但其地址无法取回：{reason}",
    "it was taken, but its URL serves another picture: {found} pixels in place of {sent}": (
        "已上传，但其地址给出另一张图片：{found} 像素，而非 {sent}"
    ),
    # --- the system's own -----------------------------------------------------------------------
    "{reason}; it cannot be renamed: {other}": "{reason}；无法改名：{other}",
    "No space left on device": "磁盘空间不足",
    "Address already in use": "地址已被占用",
    "Permission denied": "没有权限",
    "No such file or directory": "没有该文件或目录",
    "Read-only file system": "文件系统只读",
    "Is a directory": "它是一个目录",
    "Not a directory": "它不是目录",
    "database is locked": "数据库被占用",
    "database disk image is malformed": "数据库已损坏",
    "file is not a database": "文件不是数据库",
    "unable to open database file": "无法打开数据库文件",
    "disk I/O error": "磁盘读写错误",
    "database or disk is full": "磁盘已满",
    "[Errno {number}] {text}": "[Errno {number}] {text}",
    "All connection attempts failed": "所有连接尝试均失败",
    "Connection refused": "连接被拒绝",
    "Name or service not known": "找不到该主机名",
    "Temporary failure in name resolution": "暂时无法解析主机名",
    "Server disconnected without sending a response.": "服务器未回答就断开了连接",
}
