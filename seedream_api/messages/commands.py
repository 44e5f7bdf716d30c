"""Errors of the command line."""

from __future__ import annotations

from .message import Message

COMMANDS: dict[str, Message] = {
    "prompt_unreadable": Message(
        "The prompt cannot be read from {path}: {reason}.",
        "无法从 {path} 读取提示词：{reason}。",
        "It must be text in UTF-8.",
        "须为 UTF-8 文本。",
    ),
    "no_key_given": Message(
        "No key was given.",
        "未提供密钥。",
        "Type it at the prompt, or pass it through stdin: seedream auth login < FILE",
        "请在提示后输入，或通过 stdin 提供：seedream auth login < FILE",
    ),
    "secret_in_arguments": Message(
        "{name} is a secret, and other users of this machine can list the arguments of a command.",
        "{name} 属于机密，而本机其他用户可以看到命令的参数。",
        "Leave the value out and type it at the prompt, or pass it through stdin. Replace the one "
        "that was shown.",
        "请省略该值并在提示后输入，或通过 stdin 提供。已暴露的值请更换。",
    ),
    "password_in_arguments": Message(
        "The address contains a password, and other users of this machine can list the arguments "
        "of a command.",
        "地址中包含密码，而本机其他用户可以看到命令的参数。",
        "Write shared for the address in SEEDREAM_LEDGER, or leave the password out and use "
        "PGPASSWORD or a .pgpass file. Replace the password that was shown.",
        "请用 shared 表示 SEEDREAM_LEDGER 中的地址，或省略密码并使用 PGPASSWORD 或 .pgpass 文件。"
        "已暴露的密码请更换。",
    ),
    "no_completion_library": Message(
        "Completion needs the library argcomplete, which is not installed.",
        "命令补全需要 argcomplete 库，但尚未安装。",
        'Install it:\n    "{python}" -m pip install argcomplete',
        '请安装：\n    "{python}" -m pip install argcomplete',
    ),
}
