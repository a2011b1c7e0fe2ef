"""Jobs: accepts tasks durably, runs them on threads, keeps how they ended. Knows neither surveys nor HTTP.

To read it, in this order:

1. ``job_state.py``: the states of a job, and the one table of the steps between them.
2. ``job.py``: Task, what to call; Job, how it stands at one moment; EncodedResult, what it gave.
3. ``task_runner.py``: the loop of a worker thread: take, run, record.
4. ``thread_pool.py``: accepting, asking, running, cancelling, ending; the threads.
5. ``live_jobs.py``: the jobs in memory, and ``move``, which makes every step; with ``job_queue.py``, what is held
   of one job, and those that wait.
6. ``job_store.py``: what the pool asks of a store. ``sqlite/`` keeps the promise on disk.

That is the heart, and takes a quarter of an hour. The rest stands beside it, each for itself: ``results/`` keeps
results, and says which jobs are dropped, ``state_directory.py`` is what lies beside the store, ``shared_jobs.py`` lets
equal requests join, ``durations.py`` counts how long things took, ``log_context.py`` says what a thread works for.
"""
