"""``python -m support.programs.frequent_jobs``: the jobs, whose cron job need not be waited for.

It looks for forgotten posts every 5 seconds, and not once a minute. How old these must be stays.
"""

from __future__ import annotations

import runpy

from vrooli_jobs import cron

# croniter takes seconds in a sixth field.
SCHEDULE = "* * * * * */5"

if __name__ == "__main__":
    cron.SCHEDULES["requeue_stuck"] = SCHEDULE
    runpy.run_module("vrooli_jobs", run_name="__main__")
