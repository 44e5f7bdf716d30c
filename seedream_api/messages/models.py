"""What is said about model entries, the service's own list of models, and a first contact."""

from __future__ import annotations

MODEL_TEXTS: dict[str, tuple[str, str]] = {
    "every_model": ("every model", "每个模型"),
    # --- entries ---------------------------------------------------------------------------------
    "not_json_at": (
        "it is not valid JSON at line {line}, column {column}: {reason}",
        "第 {line} 行第 {column} 列不是有效的 JSON：{reason}",
    ),
    "nested_too_deeply": ("its JSON is nested too deeply", "JSON 嵌套过深"),
    "not_list_of_objects": (
        "line {line}: it is not a list of objects",
        "第 {line} 行：内容不是对象列表",
    ),
    "model_entry": (
        "line {line}, entry {entry}, {key}: {given} is not allowed; allowed: {allowed}",
        "第 {line} 行，第 {entry} 项，{key}：不允许 {given}；允许：{allowed}",
    ),
    "model_entry_lacks": (
        "line {line}, entry {entry}: {key} is missing; allowed: {allowed}",
        "第 {line} 行，第 {entry} 项：缺少 {key}；允许：{allowed}",
    ),
    "keys_of_entry": ("only the keys {keys}", "仅限这些键：{keys}"),
    "key_once": ("each key once", "每个键只能出现一次"),
    "id_of_one_entry": ("an id that no other entry has", "不与其他条目重复的 id"),
    "evolink_only": ("only for the family evolink", "仅用于 evolink 系列"),
    "none_of_empty": ("no value, because {key} is empty", "不填写，因为 {key} 为空"),
    "only_false": ("only false ({reason})", "仅限 false（{reason}）"),
    "one_without_n": (
        "1, because sends_n is false and the number of images is not sent",
        "1，因为 sends_n 为 false，不发送图片数量",
    ),
    "not_in_extra": (
        "fields other than {fields}, n, stream and callback_url",
        "除 {fields}、n、stream 和 callback_url 以外的字段",
    ),
    "whole_number_range": ("a whole number from {low} to {high}", "{low} 到 {high} 的整数"),
    "json_boolean": ("true or false, without quotes", "true 或 false，不带引号"),
    "short_text": (
        "a text of at most {longest} printable characters, without blanks at its ends",
        "不超过 {longest} 个可见字符的文本，首尾无空白",
    ),
    "distinct_texts": ("a list of different texts", "由互不相同的文本组成的列表"),
    "body_fields": (
        "an object of body fields with JSON values; model only with a text",
        "由请求字段及其 JSON 值组成的对象；model 只能是文本",
    ),
    "price_texts": (
        'a decimal number in quotes such as "0.25", or an object of such numbers by tier',
        '带引号的小数，如 "0.25"，或按档位给出此类数值的对象',
    ),
    "doubts_by_value": (
        "by field ({fields}) and value a reason: a text, or an object with en and zh",
        "按字段（{fields}）和取值给出理由：文本，或含 en 和 zh 的对象",
    ),
    "texts_by_name": ("an object of texts", "由文本组成的对象"),
}
