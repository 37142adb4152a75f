"""Requests as an endpoint sees them: with the images of the store in the place of references to them."""

from dataclasses import replace

from ..domain.calls import Request
from ..domain.errors import StoreError
from ..domain.messages import STORED, stored_images, with_images
from ..store import images
from ..store.database import Store


async def seen(store: Store, request: Request) -> Request:
    """The request with the bytes of its images; raises StoreError where the store lacks one."""
    hashes = stored_images(request.messages)
    if not hashes:
        return request
    urls = await store.run(images.data_urls, hashes)
    if lost := next((hash for hash in hashes if hash not in urls), None):
        raise StoreError(f"{store.path}: the image {STORED}{lost} is not in the store; restore the file, or begin a new run")
    return replace(request, messages=with_images(request.messages, urls))
