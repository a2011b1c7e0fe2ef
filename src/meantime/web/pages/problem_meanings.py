"""What each kind of problem means and what to do about it, for ``/problems``. The kinds are in ``problems.py``."""

from __future__ import annotations

MEANINGS = {
    "bad-request": "The Host header isn't one this server answers to, or nobody can be sure where the request ends. "
    "The detail says which; other names are allowed with --allowed-hosts.",
    "malformed-request": "The body or the query is not what it has to be: one JSON object in UTF-8, each field once, "
    "no NaN, no more than 16 levels. Correct the request; sending it again changes nothing.",
    "unauthorized": "The server takes an access key, and none that it knows came with the request. Send it as "
    "'Authorization: Bearer KEY', or sign in at /sign-in; whoever runs the server makes one with 'meantime keys add'.",
    "forbidden": "The key's role doesn't allow this, or the request came from another site's page or another machine. "
    "The detail says which, and which role or setting allows it.",
    "not-found": "The path leads nowhere. GET / lists every path; a slash at the end counts.",
    "no-place": "The client, or all clients together, hold as much of something as may be held: streams, waits, lists, "
    "large answers, files being made. Let go of some, or send the request again after Retry-After. SECURITY.md has the "
    "bounds.",
    "no-pictures": "What draws charts as pictures is busy, has died and is started again, or isn't installed; the "
    "detail says which. Send the request again after Retry-After, or ask for .vl.json and draw it yourself.",
    "picture-failed": "The chart's specification can't be drawn, which is a bug. Its .vl.json and the table beside it "
    "have the same figures.",
    "unknown-job": "No job has this id, or it belongs to somebody else, or it is gone by the rules of retention.",
    "unknown-dataset": "No dataset of this name is served. GET /api/v1/datasets lists those that are.",
    "unknown-version": "The dataset has no version with this checksum, nor is one noted that it had. GET "
    "/api/v1/datasets names the current ones.",
    "version-gone": "The dataset had this version, and its figures are no longer kept: --kept-versions says how many "
    "are. The detail cites it. Without version the same request is answered from the current one.",
    "method-not-allowed": "The path is right and the method is not. The header Allow has those that it takes.",
    "not-acceptable": "The result doesn't come in the form that Accept asks for. The detail lists the forms it has.",
    "illegal-transition": "The job has ended already, so it can't be cancelled. Look at its state.",
    "no-result": "The job has no result: it isn't done yet, it failed, or it was cancelled. Its state says which.",
    "no-answer": "The request is fine, but the data have no answer to it: too few values, or none. "
    "Widen the filters or ask for another question.",
    "reload-failed": "The new file can't be read; the detail names line and column. Nothing changed: the old version "
    "is still served. Mend the file and reload.",
    "result-lost": "The result is gone, and the data it was computed from are no longer here. Submit the job again.",
    "request-too-large": "The body is larger than the server accepts; --body-limit-bytes sets the limit.",
    "request-entity-too-large": "The body is larger than the server accepts; --body-limit-bytes sets the limit.",
    "request-uri-too-long": "Path and query are longer than 4,096 characters together. Send less.",
    "unsupported-media-type": "The body is not declared as JSON, or is compressed. Send it with "
    "'Content-Type: application/json' and without Content-Encoding.",
    "requested-range-not-satisfiable": "The part that Range asks for begins behind the end of the file. Content-Range "
    "says how long it is.",
    "invalid-parameter": "A field is missing, unknown or has a value that isn't accepted. The field is named, with the "
    "accepted values or the nearest ones. No job was made.",
    "idempotency-conflict": "The Idempotency-Key was used for another request before; job_id is that one's job. "
    "Use a new key for a new request.",
    "too-many-requests": "One key, or one address, asked more often in a minute than --posts-per-minute allows. "
    "Wait as long as Retry-After says.",
    "internal-error": "A bug in the server. The request may be sent again; the log has what happened, under the id in "
    "the answer's X-Request-ID.",
    "keys-unavailable": "The file of access keys is missing or damaged, so nobody is let in. Whoever runs the server "
    "finds the reason in its log.",
    "queue-full": "As many jobs wait as may. Nothing is wrong: send the request again after Retry-After.",
    "shutting-down": "The server finishes its accepted jobs and takes no new ones. Results can still be fetched; send "
    "new requests when it is back.",
    "store-unavailable": "A write to the disk failed, so nothing can be promised. Accepted jobs are safe; the server "
    "has to be restarted, and its log says why.",
    "data-unavailable": "The table that is asked about can't be read now. The server's log says why.",
    "storage-full": "The server's disk is full. It accepts again by itself as soon as there is space.",
}
"""By the kind's name."""
