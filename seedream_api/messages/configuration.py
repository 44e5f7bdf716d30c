"""What is wrong with a setting, or with the arguments of a command."""

from __future__ import annotations

from .message import Message

CONFIGURATION: dict[str, Message] = {
    "no_key": Message(
        "No API key is set.",
        "尚未设置 API 密钥。",
        "In ComfyUI, open Settings > Seedream: enter the key of your DeepSpaceAPI account, or "
        "choose the sandbox, which is free and needs no key. Elsewhere, run auth login, or set "
        "DEEPSPACE_API_KEY or DEEPSPACE_BASE_URL=sandbox in the environment or in {path}.",
        "在 ComfyUI 中打开“设置 > Seedream”：填入 DeepSpaceAPI 账户的密钥，或选用免费且无需密钥"
        "的沙盒。在其他环境中，请运行 auth login，或在环境变量或 {path} 中"
        "设置 DEEPSPACE_API_KEY 或 DEEPSPACE_BASE_URL=sandbox。",
    ),
    "key_of_other_address": Message(
        "The saved key belongs to {saved}, but the address is now {address}.",
        "已保存的密钥属于 {saved}，而当前地址是 {address}。",
        "Save the key again for this address, or set DEEPSPACE_API_KEY in the environment.",
        "请为此地址重新保存密钥，或用环境变量 DEEPSPACE_API_KEY 提供。",
    ),
    "pack_installed_twice": Message(
        "This pack is installed twice: {first} is loaded, {second} is not.",
        "此插件安装了两份：已加载 {first}，未加载 {second}。",
        "Remove one of the two folders and restart ComfyUI.",
        "请删除其中一个文件夹，然后重启 ComfyUI。",
    ),
    "bad_address": Message(
        "The service address {given!r} cannot be used: {reason}.",
        "服务地址 {given!r} 无法使用：{reason}。",
        "DEEPSPACE_BASE_URL accepts https://host, http only for this machine, or sandbox.",
        "DEEPSPACE_BASE_URL 可填 https://主机、仅限本机的 http 地址，或 sandbox。",
    ),
    "bad_key": Message(
        "The API key contains characters that keys do not have (spaces, quotes, brackets, "
        "asterisks, line breaks or non-ASCII letters).",
        "API 密钥中含有不应出现的字符（空格、引号、括号、星号、换行或非 ASCII 字符）。",
        "Copy the complete key again, without quotes.",
        "请重新完整复制密钥，不要带引号。",
    ),
    "key_in_other_setting": Message(
        "The setting {name} contains an API key.",
        "设置项 {name} 中填的是 API 密钥。",
        "Remove it there and set it as DEEPSPACE_API_KEY. If others may have read it, replace it "
        "with a new key.",
        "请从该项中删除，改填到 DEEPSPACE_API_KEY。如可能已被他人看到，请更换新密钥。",
    ),
    "bad_ledger_url": Message(
        "SEEDREAM_LEDGER is not the address of a PostgreSQL database.",
        "SEEDREAM_LEDGER 不是 PostgreSQL 数据库的地址。",
        "Write it as postgresql://user:password@host:5432/database, with special characters in "
        "the password percent-encoded; empty: the ledger is a file in the data folder.",
        "请写成 postgresql://user:password@host:5432/database，密码中的特殊字符需百分号编码；"
        "留空则使用数据目录中的文件。",
    ),
    "bad_store_url": Message(
        "SEEDREAM_STORE is not the address of an S3 bucket.",
        "SEEDREAM_STORE 不是 S3 存储桶的地址。",
        "Write it as s3://bucket/prefix, without a key; empty: images are stored in the data "
        "folder alone.",
        "请写成 s3://bucket/prefix，不要包含密钥；留空则图片只保存在数据目录中。",
    ),
    "quoted_setting": Message(
        "The value of {name} begins with a quotation mark.",
        "{name} 的值以引号开头。",
        "Write it without quotes.",
        "请去掉引号。",
    ),
    "no_home": Message(
        "This user has no home folder, so there is no place for the ledger and the images.",
        "当前用户没有主目录，无处存放记录和图片。",
        "Set SEEDREAM_HOME to a folder that can be written, such as /data/seedream.",
        "请将 SEEDREAM_HOME 设为可写的目录，例如 /data/seedream。",
    ),
    "relative_home": Message(
        "SEEDREAM_HOME is the relative path {given!r}, which depends on the working directory; "
        "from the current one it is {path}.",
        "SEEDREAM_HOME 的值 {given!r} 是相对路径，会随工作目录改变；在当前目录下为 {path}。",
        "Set SEEDREAM_HOME={path}.",
        "请设置 SEEDREAM_HOME={path}。",
    ),
    "bad_setting": Message(
        "The setting {name} has the value {given!r} (from {origin}), which is not allowed.",
        "设置项 {name} 的值 {given!r}（来自{origin}）不被允许。",
        "Allowed: {allowed}.",
        "允许的值：{allowed}。",
    ),
    "given_setting_unknown": Message(
        "{given!r} is not a setting.",
        "没有名为 {given!r} 的设置项。",
        "Did you mean: {allowed}? The data folder is the argument home.",
        "是否想用：{allowed}？数据目录请用参数 home 指定。",
    ),
    "setting_given_twice": Message(
        "{given} is given twice: in settings and as an argument.",
        "{given} 给了两次：既在 settings 中，又作为单独的参数。",
        "Keep one of the two.",
        "请只保留其中一个。",
    ),
    "bad_settings_file": Message(
        "The settings file {path} cannot be read: {reason}.",
        "无法读取设置文件 {path}：{reason}。",
        "Correct it or move it away.",
        "请修正或移走该文件。",
    ),
    "bad_models_file": Message(
        "The models file {path} (SEEDREAM_MODELS) cannot be used: {reason}.",
        "模型文件 {path}（SEEDREAM_MODELS）无法使用：{reason}。",
        'It is a JSON list of {{"id": ..., "family": ..., "like": ...}}; docs/models.md describes '
        "every key.",
        '内容为 JSON 列表 {{"id": ..., "family": ..., "like": ...}}；'
        "docs/models.zh-CN.md 说明了每个键。",
    ),
    "bad_proxy": Message(
        "The proxy cannot be used: {reason}.",
        "代理无法使用：{reason}。",
        "SEEDREAM_PROXY, HTTP_PROXY, HTTPS_PROXY and ALL_PROXY accept http://host:port, https:// "
        "or socks5://, with user:password@ before the host if needed (special characters written "
        "as %40 and so on).",
        "SEEDREAM_PROXY、HTTP_PROXY、HTTPS_PROXY 和 ALL_PROXY 可填 http://主机:端口、https:// 或 "
        "socks5:// 地址；需要登录时在主机前写 用户名:密码@（特殊字符写作 %40 等形式）。",
    ),
    "no_socks_library": Message(
        "A socks5 proxy needs the library socksio, which is not installed.",
        "socks5 代理需要 socksio 库，但尚未安装。",
        'Use an http:// proxy, or install it:\n    "{python}" -m pip install "{package}"',
        '请改用 http:// 代理，或安装它：\n    "{python}" -m pip install "{package}"',
    ),
    "bad_certificates": Message(
        "The CA bundle {path} cannot be loaded: {reason}.",
        "无法加载 CA 证书文件 {path}：{reason}。",
        "Check SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE.",
        "请检查 SSL_CERT_FILE、SSL_CERT_DIR、REQUESTS_CA_BUNDLE 或 CURL_CA_BUNDLE。",
    ),
    "no_upload_way": Message(
        "The model {model} accepts reference images only as URLs, and no upload target is set up.",
        "模型 {model} 的参考图只能以 URL 提供，而当前没有配置任何上传方式。",
        "Set up one of three: an S3 bucket (SEEDREAM_UPLOAD_S3_BUCKET), Evolink's files "
        "(SEEDREAM_UPLOAD_EVOLINK_KEY), an image host (SEEDREAM_UPLOAD_HTTP_URL). Or enter URLs in "
        "image_urls; or use a Preferential model, which accepts images inline; or set "
        "SEEDREAM_UPLOAD=inline to try inline images anyway; or use the sandbox.",
        "请配置以下三种方式之一：S3 存储桶（SEEDREAM_UPLOAD_S3_BUCKET）、Evolink 文件服务"
        "（SEEDREAM_UPLOAD_EVOLINK_KEY）、图床（SEEDREAM_UPLOAD_HTTP_URL）。也可在 image_urls "
        "中填写 URL；或改用可内联图片的 Preferential 模型；"
        "或设置 SEEDREAM_UPLOAD=inline 明确尝试内联；或使用沙盒。",
    ),
    "no_url_way": Message(
        "No upload target is set up, and inline images have no URL.",
        "当前没有配置任何上传方式，而内联图片没有 URL。",
        "Set up one of three: an S3 bucket (SEEDREAM_UPLOAD_S3_BUCKET), Evolink's files "
        "(SEEDREAM_UPLOAD_EVOLINK_KEY), an image host (SEEDREAM_UPLOAD_HTTP_URL), with "
        "SEEDREAM_UPLOAD=auto; or use the sandbox.",
        "请在 SEEDREAM_UPLOAD=auto 下配置以下三种方式之一：S3 存储桶（SEEDREAM_UPLOAD_S3_BUCKET）、"
        "Evolink 文件服务（SEEDREAM_UPLOAD_EVOLINK_KEY）、图床（SEEDREAM_UPLOAD_HTTP_URL）；"
        "或使用沙盒。",
    ),
    "upload_way_missing": Message(
        "SEEDREAM_UPLOAD is {way}, but {missing} is not set.",
        "SEEDREAM_UPLOAD 为 {way}，但未设置 {missing}。",
        "Set it, or set SEEDREAM_UPLOAD=auto.",
        "请设置该项，或将 SEEDREAM_UPLOAD 设为 auto。",
    ),
    "bad_upload_key": Message(
        "{name} contains characters that keys do not have (spaces, quotes, brackets, asterisks, "
        "line breaks or non-ASCII letters).",
        "{name} 中含有不应出现的字符（空格、引号、括号、星号、换行或非 ASCII 字符）。",
        "Copy the complete key again, without quotes.",
        "请重新完整复制密钥，不要带引号。",
    ),
    "no_s3_library": Message(
        "Using an S3 bucket needs the library obstore, which is not installed.",
        "使用 S3 存储桶需要 obstore 库，但尚未安装。",
        'Install it:\n    "{python}" -m pip install "{package}"',
        '请安装：\n    "{python}" -m pip install "{package}"',
    ),
    "broken_s3_library": Message(
        "Using an S3 bucket needs the library obstore, which cannot be imported: {reason}.",
        "使用 S3 存储桶需要 obstore 库，但无法导入：{reason}。",
        'Install it again:\n    "{python}" -m pip install --force-reinstall "{package}"',
        '请重新安装：\n    "{python}" -m pip install --force-reinstall "{package}"',
    ),
    "sandbox_failed": Message(
        "The sandbox cannot start: {reason}.",
        "沙盒无法启动：{reason}。",
        "Choose another --port (0 selects a free one), or correct the permissions of "
        "SEEDREAM_HOME.",
        "请更换 --port（0 表示任选空闲端口），或修复 SEEDREAM_HOME 的目录权限。",
    ),
    "wrong_use": Message(
        "The command cannot be run: {reason}.",
        "命令无法执行：{reason}。",
        "usage: {usage}",
        "用法：{usage}",
    ),
}
