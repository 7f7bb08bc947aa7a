"""Files that a request sends as ``multipart/form-data``."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from topicml.review.problems import Problem


async def uploaded_files(
    request: Request, *, most_files: int, most_fields: int
) -> list[tuple[str | None, bytes]]:
    """Return names and bytes of the files in the field ``file``.

    Args:
        request: Its body is a form.
        most_files: That it may have.
        most_fields: That it may have besides.

    Raises:
        Problem: It is no form, or has no such file.
    """
    try:
        async with request.form(max_files=most_files, max_fields=most_fields) as form:
            sent = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
            files = [(file.filename, await file.read()) for file in sent]
    except FormParserError as err:  # which not every starlette answers by itself
        raise Problem(400, f"the body is no multipart/form-data: {err}") from err
    if not files:
        raise Problem(422, "there is no file in the field 'file'")
    return files
