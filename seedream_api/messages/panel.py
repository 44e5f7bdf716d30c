"""Why a panel in ComfyUI cannot show or change something."""

from __future__ import annotations

from .message import Message

PANELS: dict[str, Message] = {
    "setting_unknown": Message(
        "There is no setting {given!r}.",
        "没有设置项 {given!r}。",
    ),
    "setting_of_environment": Message(
        "{name} is fixed by the environment.",
        "{name} 已由环境变量固定。",
        "Change it where ComfyUI is started, or remove it there to set it here.",
        "请在启动 ComfyUI 的地方修改；或先移除该环境变量，再在此设置。",
    ),
    "setting_names_a_file": Message(
        "{name} is the path of a file, and browsers may not set paths.",
        "{name} 是文件路径，不能从浏览器设置。",
        "Set it in the environment or in the settings file.",
        "请用环境变量设置，或手动写入设置文件。",
    ),
    "setting_names_the_ledger": Message(
        "{name} decides which requests count as paid for, and browsers may not set it.",
        "{name} 决定哪些请求视为已付费，不能从浏览器设置。",
        "Set it in the environment or in the settings file.",
        "请用环境变量设置，或手动写入设置文件。",
    ),
    "setting_names_the_store": Message(
        "{name} decides where every stored image is copied, and browsers may not set it.",
        "{name} 决定已保存的图片复制到哪里，不能从浏览器设置。",
        "Set it in the environment or in the settings file.",
        "请用环境变量设置，或手动写入设置文件。",
    ),
    "models_elsewhere": Message(
        "The model entries are in {path} (SEEDREAM_MODELS), which browsers may not change.",
        "模型条目在 {path} 中（SEEDREAM_MODELS），不能从浏览器修改。",
        "Edit that file, or remove the setting to keep the entries in the data folder.",
        "请编辑该文件，或删除该设置项，将条目保存在数据目录中。",
    ),
    "prices_elsewhere": Message(
        "{name} names the price table {path}, and browsers change only the one in the data folder.",
        "{name} 指定了价格表 {path}；浏览器只能修改数据目录中的价格表。",
        "Edit that file, or remove {name} to enter the prices here.",
        "请编辑该文件；或移除 {name} 后在此填写价格。",
    ),
    "bad_prices": Message(
        "The prices were not saved: {reason}.",
        "价格未保存：{reason}。",
        "Write amounts such as 0.25. Leave unknown prices empty.",
        "金额写作 0.25 这样的形式；未知的价格请留空。",
    ),
    "setting_with_environment_secret": Message(
        "{secret} comes from the environment, so {name} must be set there too.",
        "{secret} 来自环境变量，因此 {name} 也必须在那里设置。",
        "Otherwise a browser could send a secret that it may not read to another host.",
        "否则浏览器就能把它无权读取的密钥发往别的主机。",
    ),
    "setting_with_bucket_credentials": Message(
        "The bucket's credentials belong to the machine that runs ComfyUI, so {name} must be set "
        "there too.",
        "存储桶的凭证属于运行 ComfyUI 的机器，因此 {name} 也必须在那里设置。",
        "Set it in the environment or in the settings file. Otherwise a browser could have the "
        "credentials sent to another host.",
        "请用环境变量设置，或手动写入设置文件。否则浏览器就能把凭证发往别的主机。",
    ),
    "key_for_sandbox": Message(
        "The sandbox needs no key.",
        "沙盒不需要密钥。",
        "Choose the service first; a key is saved together with the address it belongs to.",
        "请先选择服务；密钥与其所属的地址一起保存。",
    ),
    "secret_unstorable": Message(
        "This ComfyUI has no protected folder, so no secret is stored on disk.",
        "此 ComfyUI 没有受保护的目录，因此不会把密钥存到磁盘。",
        "Set {name} in the environment, or update ComfyUI.",
        "请用环境变量设置 {name}，或升级 ComfyUI。",
    ),
    "settings_unwritable": Message(
        "The settings file {path} cannot be written: {reason}.",
        "无法写入设置文件 {path}：{reason}。",
        "Free disk space or correct the folder's permissions, then save again.",
        "请释放磁盘空间或修复目录权限后重新保存。",
    ),
    "panel_multi_user": Message(
        "This ComfyUI serves several users (--multi-user), so settings and tasks are not shown in "
        "the browser.",
        "此 ComfyUI 为多用户模式（--multi-user），因此不在浏览器中显示设置和任务。",
        "Its operator configures the pack with environment variables; the nodes work as usual.",
        "请由管理员用环境变量配置；节点照常可用。",
    ),
    "panel_cross_origin": Message(
        "The request did not come from this ComfyUI's own page.",
        "该请求不是来自此 ComfyUI 自己的页面。",
        "Open ComfyUI itself and try again there.",
        "请打开 ComfyUI 页面后再试。",
    ),
    "panel_foreign_name": Message(
        "This ComfyUI was opened under the name {given!r}, which any website could use.",
        "此 ComfyUI 是以名称 {given!r} 打开的，而任何网站都可能使用该名称。",
        "Open it by its IP address or as localhost, over https, or start it with --listen and "
        "this name.",
        "请用 IP 地址、localhost 或 https 打开，或在启动时用 --listen 指定该名称。",
    ),
    "panel_malformed": Message(
        "The request cannot be read: {reason}.",
        "无法读取该请求：{reason}。",
    ),
    "panel_too_large": Message(
        "The request is larger than {allowed} bytes.",
        "该请求超过 {allowed} 字节。",
    ),
    "image_not_stored": Message(
        "Task {given} has no stored image {position}.",
        "任务 {given} 没有已保存的第 {position} 张图片。",
    ),
    "copy_failed": Message(
        "The image could not be copied to {folder}: {reason}.",
        "无法将图片复制到 {folder}：{reason}。",
        "Check that the folder exists, may be written, and has free space.",
        "请检查该目录是否存在、可写，且空间足够。",
    ),
}
