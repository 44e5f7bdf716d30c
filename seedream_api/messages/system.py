"""The Chinese of what the operating system, SQLite and httpx say about common failures."""

from __future__ import annotations

import errno
import socket

_BY_NUMBER: dict[int, str] = {
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许此操作",
    errno.ENOENT: "没有该文件或目录",
    errno.EEXIST: "文件已存在",
    errno.EISDIR: "这是一个目录",
    errno.ENOTDIR: "不是目录",
    errno.ENAMETOOLONG: "文件名过长",
    errno.EROFS: "文件系统只读",
    errno.ENOSPC: "磁盘空间不足",
    errno.EDQUOT: "超出磁盘配额",
    errno.EIO: "读写出错",
    errno.EMFILE: "打开的文件过多",
    errno.EADDRINUSE: "地址已被占用",
    errno.ECONNREFUSED: "连接被拒绝",
    errno.ECONNRESET: "连接被重置",
    errno.EPIPE: "管道已关闭",
    errno.ENETUNREACH: "网络不可达",
    errno.EHOSTUNREACH: "主机不可达",
    errno.ETIMEDOUT: "连接超时",
}
_BY_RESOLVER_NUMBER: dict[int, str] = {
    socket.EAI_NONAME: "找不到该主机名",
    socket.EAI_AGAIN: "暂时无法解析主机名",
}
_BY_WORDS: dict[str, str] = {
    "All connection attempts failed": "所有连接尝试均失败",
    "Server disconnected without sending a response.": "服务器未响应就断开了连接",
    "peer closed connection without sending complete message body": "响应未完整就断开了连接",
    "Invalid username/password": "代理的用户名或密码错误",
    "Proxy Server could not connect: General SOCKS server failure.": "代理服务器出错",
    "Proxy Server could not connect: Connection not allowed by ruleset.": "代理不允许此连接",
    "Proxy Server could not connect: Network unreachable.": "代理无法访问该网络",
    "Proxy Server could not connect: Host unreachable.": "代理无法访问该主机",
    "Proxy Server could not connect: Connection refused.": "代理的连接被拒绝",
    "Proxy Server could not connect: TTL expired.": "代理的连接超时",
    "Proxy Server could not connect: Command not supported.": "代理不支持此命令",
    "Proxy Server could not connect: Address type not supported.": "代理不支持此类地址",
    "database is locked": "数据库被占用",
    "database disk image is malformed": "数据库已损坏",
    "file is not a database": "文件不是数据库",
    "unable to open database file": "无法打开数据库文件",
    "attempt to write a readonly database": "数据库只读",
    "disk I/O error": "磁盘读写错误",
    "database or disk is full": "磁盘已满",
}


def describe_system_error(error: BaseException) -> tuple[str, str | None]:
    """Return the words of an error, without its number, and their Chinese where it is known."""
    if not isinstance(error, OSError):
        return str(error), _BY_WORDS.get(str(error).partition(" (")[0])
    words = error.strerror or str(error)
    numbers = _BY_RESOLVER_NUMBER if isinstance(error, socket.gaierror) else _BY_NUMBER
    return words, _BY_WORDS.get(words) or numbers.get(error.errno or 0)
