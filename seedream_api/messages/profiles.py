"""What is wrong with a profile: a key and its address under a name."""

from __future__ import annotations

from .message import Message

PROFILES: dict[str, Message] = {
    "profile_unknown": Message(
        "There is no profile {given!r}.",
        "没有名为 {given!r} 的密钥配置。",
        "Known profiles: {known}. Add the profile in the settings panel, with the command auth "
        "login --profile NAME or in the environment, or leave the name empty for the default.",
        "已有的密钥配置：{known}。请在设置面板、环境变量中或用命令 auth login --profile NAME 添加；"
        "名称留空则使用默认密钥。",
    ),
    "profile_no_key": Message(
        "The profile {profile!r} has no key.",
        "密钥配置 {profile!r} 没有密钥。",
        "Save its key in the settings panel or with the command auth login --profile NAME, or set "
        "DEEPSPACE_API_KEY__{variable} in the environment.",
        "请在设置面板中或用命令 auth login --profile NAME 保存其密钥，或设置环境变量 "
        "DEEPSPACE_API_KEY__{variable}。",
    ),
    "profile_name_malformed": Message(
        "{given!r} cannot be the name of a profile.",
        "{given!r} 不能用作密钥配置的名称。",
        "A name has up to 40 letters, digits and underscores. The name default means the key "
        "without a name.",
        "名称最多 40 个字符，可用字母、汉字、数字和下划线；default 表示未命名的默认密钥。",
    ),
    "profile_name_is_key": Message(
        "The name of a profile is an API key.",
        "密钥配置的名称处填的是 API 密钥。",
        "Remove it: a workflow must contain only the name. Save the key under a name in the "
        "settings panel. If others may have read it, replace it with a new key.",
        "请删除：工作流中只应填写名称。请在设置面板中以某个名称保存密钥；如可能已被他人看到，请更换新密钥。",
    ),
    "not_in_profile": Message(
        "{name} is not a setting of a profile.",
        "{name} 不是密钥配置的设置。",
        "A profile has only {allowed}. Leave out --profile to save this setting for all.",
        "密钥配置只有 {allowed}。去掉 --profile 即可保存对全部密钥生效的设置。",
    ),
    "profile_exists": Message(
        "There is a profile {name!r} already.",
        "已有名为 {name!r} 的密钥配置。",
        "Choose another name, or edit that profile.",
        "请使用其他名称，或编辑该配置。",
    ),
    "profile_needs_key": Message(
        "A key is needed for {address}.",
        "需要填写 {address} 的密钥。",
        "Enter the key together with the address: a saved key is never sent to another address.",
        "请同时填写密钥和地址：已保存的密钥不会发往其他地址。",
    ),
    "profile_of_task_removed": Message(
        "The task {task_id} was made with the profile {profile!r}, which no longer exists.",
        "任务 {task_id} 由密钥配置 {profile!r} 创建，而该配置已不存在。",
        "Add the profile again with its key; only that key can fetch the task.",
        "请重新添加该密钥配置及其密钥；只有该密钥能取回此任务。",
    ),
}
