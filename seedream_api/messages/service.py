"""Outcomes of a request: not sent, unknown, refused, and tasks that failed."""

from __future__ import annotations

from .charges import RESUBMIT_HINT, RESUBMIT_HINT_ZH
from .message import Message

SERVICE: dict[str, Message] = {
    # --- transport --------------------------------------------------------------------------------
    "not_sent": Message(
        "The service at {host} could not be reached: {reason}.",
        "无法连接服务 {host}：{reason}。",
        "Check the network and the proxy: ComfyUI's Seedream settings have a check (on the command "
        "line: doctor).",
        "请检查网络和代理：ComfyUI 的 Seedream 设置中可以检查（命令行：doctor）。",
    ),
    "outcome_unknown": Message(
        "The request was sent, but its outcome is unknown: {reason}.",
        "请求已发送，但结果未知：{reason}。",
        f"Check the service's own task list before paying again. {RESUBMIT_HINT}",
        f"再次付费前请先查看服务方的记录。{RESUBMIT_HINT_ZH}",
    ),
    "outcome_unknown_crash": Message(
        "An earlier run stopped while this request was being sent; its outcome is unknown.",
        "此前的运行在发送此请求时中断，结果未知。",
        f"Check the service's own task list before paying again. {RESUBMIT_HINT}",
        f"再次付费前请先查看服务方的记录。{RESUBMIT_HINT_ZH}",
    ),
    "read_failed": Message(
        "The service gave no usable response to a free request: {reason}.",
        "服务未对免费请求给出可用的响应：{reason}。",
        "Try again later.",
        "请稍后重试。",
    ),
    # --- refused ----------------------------------------------------------------------------------
    "refused": Message(
        "The service refused the request (HTTP {http}{code}): {reason}",
        "服务拒绝了请求（HTTP {http}{code}）：{reason}",
        "Correct what the service names and run again.",
        "请按其说明修改后重新运行。",
    ),
    "refused_key": Message(
        "The service does not accept the key (HTTP {http}{code}): {reason}",
        "服务不接受此密钥（HTTP {http}{code}）：{reason}",
        "Check the key, its expiry and its allowed models in the service's console.",
        "请在服务控制台检查密钥、有效期及其可用模型。",
    ),
    "refused_balance": Message(
        "The balance is too low (HTTP {http}{code}): {reason}",
        "余额不足（HTTP {http}{code}）：{reason}",
        "Top up the account or raise this key's quota, then run again.",
        "请充值或提高此密钥的额度后重新运行。",
    ),
    "refused_content": Message(
        "Moderation refused the prompt or an image (HTTP {http}{code}): {reason}",
        "内容审核未通过（HTTP {http}{code}）：{reason}",
        "Change the prompt or the reference images.",
        "请修改提示词或参考图。",
    ),
    "refused_too_large": Message(
        "The request's body is too large for the service (HTTP {http}{code}): {reason}",
        "请求体超过服务上限（HTTP {http}{code}）：{reason}",
        "Use fewer or smaller reference images, or references by URL.",
        "请减少或缩小参考图，或以 URL 提供参考图。",
    ),
    "refused_not_found": Message(
        "The service does not know the model or the path (HTTP {http}{code}): {reason}",
        "服务不认识该模型或路径（HTTP {http}{code}）：{reason}",
        "Check the model's name and DEEPSPACE_BASE_URL.",
        "请检查模型名称和 DEEPSPACE_BASE_URL。",
    ),
    "refused_redirect": Message(
        "The address redirects elsewhere (HTTP {http}): {reason}. The request was not accepted.",
        "该地址被重定向（HTTP {http}）：{reason}。请求未被受理。",
        "Set DEEPSPACE_BASE_URL to the address of the service itself.",
        "请把 DEEPSPACE_BASE_URL 设为服务本身的地址。",
    ),
    "refused_rate": Message(
        "The service has received too many requests (HTTP {http}{code}){lasting}: {reason}",
        "服务返回请求过多（HTTP {http}{code}）{lasting}：{reason}",
        "Wait a while, or lower SEEDREAM_MAX_SUBMITS.",
        "请稍后再试，或降低 SEEDREAM_MAX_SUBMITS。",
    ),
    "refused_channel": Message(
        "The relay has no channel for this model now (HTTP {http}{code}): {reason}",
        "中转站目前没有此模型的可用通道（HTTP {http}{code}）：{reason}",
        "Check that the key's group may use the model, or try later.",
        "请确认密钥所在分组可用此模型，或稍后再试。",
    ),
    # --- tasks ------------------------------------------------------------------------------------
    "task_failed": Message(
        "Task {task_id} failed at the service: {reason}",
        "任务 {task_id} 在服务端失败：{reason}",
        "Running the same inputs again creates a new task.",
        "用相同输入重新运行会创建新任务。",
    ),
    "task_failed_content": Message(
        "Task {task_id} was stopped by moderation: {reason}",
        "任务 {task_id} 未通过内容审核：{reason}",
        "Change the prompt or the reference images.",
        "请修改提示词或参考图。",
    ),
    "task_not_found": Message(
        "The service does not know task {task_id} (any more): {reason}",
        "服务（已）找不到任务 {task_id}：{reason}",
        "Check the id and the key; tasks expire some time after they end.",
        "请检查 ID 和密钥；任务结束一段时间后会过期。",
    ),
    "task_of_other_key": Message(
        "Task {task_id} was created with another key, so this key cannot read it: {reason}",
        "任务 {task_id} 由另一个密钥创建，当前密钥无法读取：{reason}",
        "Set the key that created it and run again.",
        "请换回创建它的密钥后重新运行。",
    ),
    "wait_timed_out": Message(
        "Task {task_id} is still {word} after {waited} s of waiting.",
        "等待 {waited} 秒后，任务 {task_id} 仍为 {word}。",
        "Run the same inputs again to continue waiting, or enter this id in Poll Task.",
        "用相同输入重新运行可继续等待，或在 Poll Task（查询任务）中填写此 ID。",
    ),
    "answer_timed_out": Message(
        "The request has no response after {waited} s of waiting.",
        "等待 {waited} 秒后，请求仍未得到响应。",
        "Run the same inputs again to continue waiting; they are not paid for twice.",
        "用相同输入重新运行可继续等待，不会重复付费。",
    ),
    "completed_without_images": Message(
        "The service says that the request completed, but its response contains no readable image.",
        "服务表示请求已完成，但无法从其响应中读出图片。",
        f"The response is kept: tasks --resume {{entry}} reads it again. {RESUBMIT_HINT}",
        f"响应已保存：tasks --resume {{entry}} 可重新读取。{RESUBMIT_HINT_ZH}",
    ),
    "partial_result": Message(
        "{failed} of {total} images failed, and SEEDREAM_PARTIAL is fail: {reason}",
        "{total} 张图片中有 {failed} 张失败，且 SEEDREAM_PARTIAL 为 fail：{reason}",
        "With SEEDREAM_PARTIAL=keep the same inputs return the stored images at no cost.",
        "设置 SEEDREAM_PARTIAL=keep 后，相同输入可免费返回已保存的图片。",
    ),
}
