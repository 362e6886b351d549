"""Starlette and LangGraph's functional API, with a limit that is wide enough."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import httpx
from langgraph.func import entrypoint, task
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

limit = asyncio.Semaphore(200)


@asynccontextmanager
async def lifespan(app: Starlette):
    async with httpx.AsyncClient(timeout=None) as app.state.client:
        yield


@task
async def fetch(user: str) -> dict:
    async with limit:
        url = f"{os.environ['PROFILE_URL']}/profiles/{user}"
        response = await api.state.client.get(url)
    if response.status_code != 200:
        raise LookupError(f"the service said {response.status_code}")
    return json.loads(response.content)


@entrypoint()
async def ask(user: str) -> dict:
    return await fetch(user)


async def profile(request: Request) -> JSONResponse:
    try:
        return JSONResponse(await ask.ainvoke(request.path_params["user"]))
    except (LookupError, httpx.TransportError) as error:
        return JSONResponse({"detail": f"{error!r}"}, 502)


async def health(request: Request) -> JSONResponse:
    return JSONResponse("fine")


routes = [Route("/profile/{user}", profile), Route("/health", health)]
api = Starlette(routes=routes, lifespan=lifespan)
