"""When crews build what: list scheduling of jobs in order of priority, draw by draw."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["assign", "work_done"]

_YEARS = 40


def work_done(start: dt.date, rainy_months: tuple[int, ...], rainy_pace: float
              ) -> NDArray[np.float64]:
    """Return the outdoor work that can be done until each day, in dry days, ascending.

    Parameters
    ----------
    start : date
        Day 0.
    rainy_months : tuple of int
        Months in which a day is worth `rainy_pace` dry days.

    Returns
    -------
    (days + 1,) float64
        Over forty years; element d = work done before day d begins.
    """
    days = np.datetime64(start, "D") + np.arange(_YEARS * 366)
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    pace = np.where(np.isin(month, rainy_months), rainy_pace, 1.0)
    return np.concatenate([[0.0], np.cumsum(pace)])


@njit(cache=True, nogil=True)
def _after(begin, work, done):
    """Return when outdoor `work` that begins at `begin` is finished."""
    last = done.shape[0] - 1
    if begin >= last:
        return np.inf
    day = int(begin)
    goal = done[day] + (begin - day) * (done[day + 1] - done[day]) + work
    if goal > done[last]:
        return np.inf
    low, high = day, last
    while low < high:
        middle = (low + high) // 2
        if done[middle] >= goal:
            high = middle
        else:
            low = middle + 1
    if low == 0 or work <= 0.0:
        return max(begin, float(low) if work > 0.0 else begin)
    return max(begin, low - (done[low] - goal) / (done[low] - done[low - 1]))


@njit(cache=True, nogil=True)
def assign(ready, outdoor, work, team, crews, done):
    """Let crews build jobs: who is free takes the first job in line that can begin.

    If none can begin, the crew waits for the one that can soonest. Ties: the
    crew with the lower number, the job nearer the head of the line.

    Parameters
    ----------
    ready : (draws, jobs) float64
        Day on which money and permit are there; jobs in the order of priority.
    outdoor : (draws, jobs) float64
        Work of power lines and tracks that must follow before the crew comes, dry days.
    work : (draws, jobs) float64
        Crew work, dry days.
    team : (jobs,) int64
        Operator of each job.
    crews : (operators,) int64
        How many crews each has.
    done : (days + 1,) float64
        As `work_done` returns it.

    Returns
    -------
    begin, finish : (draws, jobs) float64
        Days of the crew on the site; infinite beyond the calendar.
    crew : (draws, jobs) int64
        Number of the crew within its operator, from 0.
    """
    draws, jobs = ready.shape
    begin, finish = np.empty((draws, jobs)), np.empty((draws, jobs))
    crew = np.zeros((draws, jobs), np.int64)
    free = np.empty(crews.max() if crews.shape[0] else 1)
    can = np.empty(jobs)
    waiting = np.empty(jobs, np.bool_)
    for d in range(draws):
        for j in range(jobs):
            can[j] = _after(ready[d, j], outdoor[d, j], done)
        for o in range(crews.shape[0]):
            left = 0
            for j in range(jobs):
                waiting[j] = team[j] == o
                left += waiting[j]
            free[:crews[o]] = 0.0
            while left > 0:
                who = int(np.argmin(free[:crews[o]]))
                job, soonest = -1, np.inf
                for j in range(jobs):
                    if waiting[j]:
                        if can[j] <= free[who]:
                            job = j
                            break
                        if can[j] < soonest or job < 0:
                            job, soonest = j, can[j]
                begin[d, job] = max(free[who], can[job])
                finish[d, job] = _after(begin[d, job], work[d, job], done)
                crew[d, job] = who
                free[who] = finish[d, job]
                waiting[job] = False
                left -= 1
    return begin, finish, crew
