"""The help of the command line by key, and what it says about wrong use."""

from __future__ import annotations

COMMAND_HELP: dict[str, tuple[str, str]] = {
    # --- wrong use -------------------------------------------------------------------------------
    "needs_prune": (
        "--older-than and --keep-gb require --prune",
        "--older-than 和 --keep-gb 需与 --prune 一起使用",
    ),
    # The English of these, except the last four, is argparse's.
    "wrong_use_missing": ("the following arguments are required: {names}", "缺少参数：{names}"),
    "wrong_use_unknown": ("unrecognized arguments: {given}", "无法识别的参数：{given}"),
    "wrong_use_argument": ("argument {name}: {reason}", "参数 {name}：{reason}"),
    "wrong_use_one_value": ("expected one argument", "需要一个值"),
    "wrong_use_values": ("expected at least one argument", "至少需要一个值"),
    "wrong_use_together": (
        "not allowed with argument {name}",
        "不能与参数 {name} 同时使用",
    ),
    "wrong_use_choice": (
        "invalid choice: {given} (choose from {allowed})",
        "没有 {given}（可选：{allowed}）",
    ),
    "wrong_use_unknown_choice": ("invalid choice: {given}", "没有 {given}"),
    "wrong_use_seconds": (
        "{text} is not between {low} and {high} seconds",
        "{text} 不在 {low} 到 {high} 秒之间",
    ),
    "wrong_use_range": (
        "{text} is not between {low} and {high}",
        "{text} 不在 {low} 到 {high} 之间",
    ),
    "wrong_use_whole": ("{text} is not a whole number", "{text} 不是整数"),
    "did_you_mean": (
        "{reason} ({given}: did you mean {suggestion}?)",
        "{reason}（{given}：您是否要输入 {suggestion}？）",
    ),
    "wrong_use_one_of": (
        "one of the arguments {names} is required",
        "需要以下参数之一：{names}",
    ),
    "stdin_twice": ("- can be given once only", "- 只能使用一次"),
    "needs_value": ("VALUE is missing", "缺少 VALUE"),
    "wrong_use_number": ("{text} is not a number", "{text} 不是数字"),
    # --- help ------------------------------------------------------------------------------------
    "help_usage": ("usage: ", "用法："),
    "help_arguments": ("positional arguments", "参数"),
    "help_more_options": ("[options]", "[选项]"),
    "help_options": ("options", "选项"),
    "help_help": ("show this help message and exit", "显示此帮助并退出"),
    "help_version": ("show the version number and exit", "显示版本号并退出"),
    "help_program": (
        "Seedream images through DeepSpaceAPI: every image paid for once, none lost.",
        "通过 DeepSpaceAPI 使用 Seedream：每张图只付一次费，一张都不丢。",
    ),
    "help_batch": (
        "make the images of a table of requests; a rerun sends only what is missing",
        "按表格批量生成图片；再次运行只发送缺少的部分",
    ),
    "help_batch_file": (
        "CSV with a header line, or JSON Lines; columns: {columns}",
        "带标题行的 CSV，或 JSON Lines；列：{columns}",
    ),
    "help_keep_going": (
        "continue after a row that fails; the others get their images",
        "某行失败后继续；其他行照常生成",
    ),
    "help_dry_run": (
        "send nothing: check the rows and print what they would charge",
        "不发送：检查各行并显示将扣费的数量",
    ),
    "help_sheet": ("also write a contact sheet, sheet.png", "另存缩略图总览 sheet.png"),
    "help_model": ("see the command models", "见 models 命令"),
    "help_quiet": ("print no progress and no notes", "不显示进度和提示"),
    "help_verbose": (
        "log what is waited for; twice: every step",
        "记录等待的原因；重复一次则记录每一步",
    ),
    "help_prompt": ("what the image shows; - reads stdin", "图片内容；- 表示读取 stdin"),
    "help_prompt_file": ("a UTF-8 file with the prompt", "含提示词的 UTF-8 文件"),
    "help_ref": (
        "a reference image: a file, a pattern such as 'views/*.png', a URL, or - for stdin; "
        "several times for several images",
        "参考图：文件、通配符（如 'views/*.png'）、URL，或用 - 表示 stdin；多张图可重复此选项",
    ),
    "help_auth": ("save, check or remove the API key", "保存、检查或删除 API 密钥"),
    "help_auth_login": (
        "save the key: from a hidden prompt, or the first line of stdin",
        "保存密钥：隐藏输入，或读取 stdin 的第一行",
    ),
    "help_auth_status": ("tell whether there is a key, and its origin", "显示是否有密钥及其来源"),
    "help_auth_logout": ("remove the saved key", "删除已保存的密钥"),
    "help_auth_profile": (
        "the key of a profile; config set changes its address, logout removes the profile",
        "指定密钥配置的密钥；config set 可设置其地址，logout 会删除该配置",
    ),
    "help_config_profile": (
        "the key and address of a profile; set adds the profile",
        "指定密钥配置的密钥和地址；set 会添加该配置",
    ),
    "help_ledger": (
        "copy the ledger from a file into PostgreSQL, or back",
        "将付费请求记录从文件复制到 PostgreSQL，或反向复制",
    ),
    "help_ledger_copy": (
        "copy every entry into an empty ledger, and compare each one; images are not copied",
        "将全部条目复制到空的记录中并逐条核对；不复制图片",
    ),
    "help_ledger_source": (
        "file (of the data folder), shared (SEEDREAM_LEDGER), a data folder, or postgresql://... "
        "without its password",
        "file（数据目录中的文件）、shared（SEEDREAM_LEDGER）、数据目录，或不含密码的 postgresql://...",
    ),
    "help_ledger_target": ("like SOURCE; must have no entries", "同 SOURCE；其中不能有条目"),
    "help_config": ("show and change settings", "查看和修改设置"),
    "help_config_list": ("list all settings with their origins", "列出全部设置及其来源"),
    "help_config_get": ("print the value of a setting", "显示一项设置的值"),
    "help_config_set": (
        "save a setting; a secret is read from a hidden prompt or stdin",
        "保存一项设置；机密内容通过隐藏输入或 stdin 读取",
    ),
    "help_config_name": ("the name of a setting; see config list", "设置名称；见 config list"),
    "help_config_value": ("the new value", "新的值"),
    "help_config_default": ("restore the default", "恢复默认值"),
    "help_balance": ("ask what is left for the key; free", "查询密钥的剩余额度；免费"),
    "help_completion": (
        "print code that completes commands in a shell",
        "输出用于 shell 命令补全的代码",
    ),
    "help_examples": ("examples", "示例"),
    "help_more": (
        "Run {program} COMMAND --help for the options of a command.",
        "运行 {program} COMMAND --help 可查看某个命令的选项。",
    ),
    "group_images": ("images", "图片"),
    "group_requests": ("paid requests", "付费请求"),
    "group_setup": ("setup", "配置"),
    "help_models": ("list the models and what each accepts", "列出模型及各自接受的参数"),
    "help_doctor": ("check the key, address, proxy and balance", "检查密钥、地址、代理和余额"),
    "help_sandbox": ("run the free sandbox of the service", "运行免费沙盒"),
    "help_port": ("0 selects a free port (default)", "0 表示任选空闲端口（默认）"),
    "help_strict": (
        "refuse values that other documentation does not confirm",
        "拒绝其他文档未确认支持的值",
    ),
    "help_generate": (
        "make images; the same inputs are paid for once",
        "生成图片；相同输入只扣费一次",
    ),
    "help_size": (
        "Preferential: {tiers}; Evolink: an aspect ratio",
        "Preferential：{tiers}；Evolink：宽高比",
    ),
    "help_quality": ("Evolink: the tier, {tiers}", "Evolink：档位，{tiers}"),
    "help_n": ("Evolink: the maximum number of images, 1-{most}", "Evolink：最多张数，1-{most}"),
    "help_seed": (
        "not sent; another seed makes, and charges, a new request",
        "不会发送；更换 seed 会重新生成并扣费",
    ),
    "help_priority": ("Evolink: standard or fast", "Evolink：standard 标准或 fast 快速"),
    "help_format": ("Preferential: png or jpeg", "Preferential：png 或 jpeg 格式"),
    "help_watermark": (
        "Preferential: let the service draw its watermark into the image",
        "Preferential：由服务在图片上加水印",
    ),
    "help_poll": (
        "fetch tasks by their ids; nothing is submitted",
        "按 ID 取回任务；不提交任何请求",
    ),
    "help_tasks": ("list the ledger of paid requests", "列出付费请求的记录"),
    "help_receipt": (
        "show what a saved image was made with, and its stored originals",
        "显示已保存图片的生成信息及其存储的原图",
    ),
    "help_collect": (
        "fetch every unfinished entry; submits nothing. Exit code 5 if a task is still running",
        "取回所有未完成的记录，不提交任何请求；仍有任务在运行时退出码为 5",
    ),
    "help_resume": ("fetch the missing images of this entry", "取回此条尚缺的图片"),
    "help_forget": ("let the same inputs be paid for again", "允许相同输入再次扣费"),
    "help_export": ("write the whole ledger as JSON", "将全部记录写为 JSON"),
    "help_prune": ("remove delivered images from the store", "从存储中移除已交付的图片"),
    "help_state": (
        "list or export only these: {states}",
        "只列出或导出这些状态：{states}",
    ),
    "help_limit": ("list at most this many, the newest", "最多列出多少条（最新的）"),
    "help_older_than": ("with --prune: remove all older images", "配合 --prune：移除更早的图片"),
    "help_keep_gb": (
        "with --prune: default SEEDREAM_STORE_GB",
        "配合 --prune：默认取 SEEDREAM_STORE_GB",
    ),
    "help_download": (
        "fetch images by URL, limited in size, from public addresses only",
        "按 URL 取回图片，限制大小，仅访问公网地址",
    ),
    "help_out": ("default: the current folder", "默认：当前目录"),
    "help_name": (
        "names of the files, such as {{prompt:.40}}-{{n}}; also seed, model, job, task_id, "
        "width, height",
        "文件名模板，如 {{prompt:.40}}-{{n}}；还可用 seed、model、job、task_id、width、height",
    ),
    "help_timeout": ("seconds to wait", "等待的秒数"),
    "help_profile": (
        "use the key and address of a profile",
        "使用指定密钥配置的密钥和地址",
    ),
    "help_no_wait": ("do not wait for a task", "不等待任务"),
    "help_json": ("write one JSON object to stdout", "在 stdout 输出一个 JSON 对象"),
}
