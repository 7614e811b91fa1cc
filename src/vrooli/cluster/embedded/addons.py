"""stub"""


async def apply(layout, record):
    pass


async def wait(layout, record, progress):
    pass


async def current(layout, record, api):
    return True
