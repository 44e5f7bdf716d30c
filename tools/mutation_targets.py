"""Which tests notice a change in a module, and one plain function of each, for ``mutation.py``."""

from __future__ import annotations

_LEDGER = (
    "unit/ledger/test_claims.py",
    "unit/ledger/test_database.py",
    "unit/ledger/test_queries.py",
    "unit/ledger/test_transitions.py",
    "unit/ledger/test_transitions_images.py",
    "unit/ledger/test_opening.py",
    "unit/service/test_link_expiry.py",
    "integration/test_tasks_command.py",
    "integration/test_pruning.py",
)
_BROKEN = (
    "recovery/test_broken_disks.py::test_home_that_cannot_be_made",
    *(
        f"recovery/test_broken_ledgers.py::{name}"
        for name in (
            "test_ledger_that_breaks_in_use",
            "test_ledger_that_is_deleted_in_use",
            "test_broken_ledger_that_another_process_moved_already",
        )
    ),
)
_RACES = tuple(
    f"recovery/test_races_in_process.py::{name}"
    for name in (
        "test_request_cancelled_while_claimed_blocks_no_other",
        "test_close_before_first_byte_leaves_nothing_unknown",
        "test_waiter_on_other_process_notices_when_it_stops",
    )
)
_PAID_REQUEST = (
    "integration/test_progress_events.py",
    "integration/test_ledger_write_failures.py",
    "integration/test_cancellation.py",
    "integration/test_cancellation_claims.py",
    "integration/test_generation.py",
    "integration/test_generation_results.py",
    "integration/test_deduplication.py",
    "integration/test_collecting.py",
    "integration/test_polling.py",
    *(
        f"integration/test_fault_matrix.py::{name}"
        for name in (
            "test_prompt_that_fails",
            "test_task_named_in_a_cut_response_is_polled",
            "test_late_images_are_fetched_and_not_paid_for_again",
        )
    ),
    *(
        f"integration/test_faults_after_payment.py::{name}"
        for name in (
            "test_polling_that_never_works_says_that_the_task_runs",
            "test_task_that_is_no_longer_shown_is_not_paid_for_again",
            "test_one_image_of_a_group_that_cannot_be_fetched",
        )
    ),
    *(
        f"integration/test_upload_reuse.py::{name}"
        for name in (
            "test_url_that_the_service_cannot_read_is_forgotten",
            "test_refusal_for_other_reasons_keeps_the_upload",
        )
    ),
    *_RACES,
)
_LOCKS = (
    "unit/ledger/test_database.py::test_folder_and_files_belong_to_their_owner_alone",
    "recovery/test_owner_locks.py::test_sweep_never_takes_the_file_of_a_living_owner",
)
MODULES: dict[str, tuple[str, ...]] = {
    "network.retry": ("unit/network/test_retry.py",),
    "service.polling": (
        "unit/service/test_polling.py",
        "unit/service/test_poll_throttle.py",
        "unit/test_callbacks.py",
        "integration/test_deduplication.py",
        "integration/test_collecting.py",
        "integration/test_polling.py",
    ),
    **dict.fromkeys(
        ("network.transport", "network.pools"),
        (
            "unit/network/test_transport_requests.py",
            "unit/network/test_transport_failures.py",
            "unit/network/test_transport.py",
            "unit/network/test_transport_unknown.py",
            "unit/network/test_transport_responses.py",
            "unit/network/test_proxies.py",
            "unit/network/test_transport_tls.py",
            "unit/network/test_transport_readiness.py",
        ),
    ),
    "network.proxies": (
        "unit/config/test_settings_proxy.py",
        "unit/network/test_proxies.py",
        "unit/network/test_transport_tls.py",
        "unit/network/test_transport_requests.py",
        "unit/network/test_transport_failures.py",
    ),
    **dict.fromkeys(
        ("ledger.claims", "ledger.queries", "ledger.statements", "ledger.transitions"), _LEDGER
    ),
    **dict.fromkeys(
        ("ledger.records", "ledger.sqlite_database", "ledger.schema"), (*_LEDGER, *_BROKEN)
    ),
    "ledger.database": (
        *_LEDGER,
        *_BROKEN,
        *(
            f"unit/ledger/test_{name}.py"
            for name in ("unreleased", "lost_commits", "forks", "copying", "postgres_database")
        ),
    ),
    "service.link_expiry": ("unit/service/test_link_expiry.py",),
    "ledger.states": ("unit/ledger/test_states.py", *_LEDGER[:5]),
    "network.throttle": ("unit/network/test_throttle.py",),
    "ledger.owner_lock": ("unit/ledger/test_owner_lock.py", "unit/ledger/test_windows.py", *_LOCKS),
    **dict.fromkeys(("jobs.steps", "jobs.job", "jobs.runner", "jobs.cancellation"), _PAID_REQUEST),
    "service.verdicts": (
        "unit/service/test_verdicts.py",
        "unit/service/test_verdicts_unclear.py",
    ),
    "service.refusals": ("unit/service/test_refusal_list.py", "unit/service/test_refusals.py"),
    "service.responses": (
        "unit/service/test_responses_tasks.py",
        "unit/service/test_responses_places.py",
        "unit/service/test_responses.py",
        "unit/service/test_responses_tolerance.py",
    ),
    "service.task": (
        "unit/service/test_responses_tasks.py",
        "unit/service/test_responses_places.py",
        "unit/service/test_responses.py",
        "unit/service/test_responses_tolerance.py",
    ),
    "service.task_fields": ("unit/service/test_task_fields.py",),
    "service.stray_images": ("unit/service/test_stray_images.py",),
    "service.statuses": ("unit/service/test_statuses.py",),
    "service.result_items": (
        "unit/service/test_result_items.py",
        "unit/service/test_result_items_errors.py",
    ),
    "service.inline_images": ("unit/service/test_inline_images.py",),
    "network.bodies": (
        "unit/network/test_bodies.py",
        "unit/network/test_bodies_cut.py",
    ),
    "network.compression": ("unit/network/test_compression.py",),
    "service.stated_errors": ("unit/service/test_stated_errors.py",),
    "service.reading": ("unit/service/test_reading.py",),
    "service.failures": ("unit/service/test_failures.py",),
}

PLAIN = {
    "network.retry": "RetryBudget.next_delay",
    "service.polling": "PollSchedule.next_delay_s",
    "network.transport": "_lower_header_names",
    "network.pools": "ConnectionPools.get",
    "network.proxies": "load_certificates",
    "ledger.claims": "claim",
    "ledger.queries": "get_record",
    "ledger.statements": "jobs_by_fingerprint",
    "ledger.transitions": "move",
    "ledger.records": "parse_row",
    "ledger.database": "Database.find_file",
    "ledger.sqlite_database": "SqliteDatabase.owner",
    "ledger.schema": "open_database",
    "service.link_expiry": "link_expiry",
    "ledger.states": "fingerprint",
    "network.throttle": "Throttle.pause_for",
    "ledger.owner_lock": "is_alive",
    "jobs.steps": "_record_submission",
    "jobs.job": "Job.current_row",
    "jobs.runner": "_acquire_row",
    "jobs.cancellation": "cancellation_error",
    "service.verdicts": "judge_submission",
    "service.refusals": "build_refusal",
    "service.responses": "parse_response",
    "service.task_fields": "find_ids",
    "service.stray_images": "has_stray_image",
    "service.task": "to_task",
    "service.statuses": "parse_progress",
    "service.result_items": "ItemReader.read_items",
    "service.inline_images": "decode_image",
    "network.bodies": "read_body",
    "network.compression": "decompress",
    "service.stated_errors": "find_fallback_error",
    "service.reading": "parse_http_response",
    "service.failures": "to_unknown",
}
