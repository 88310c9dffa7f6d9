"""What a service tells of itself: its events, keys, refusals, and whom its doors admit."""

import httpx


async def test_a_service_tells_which_events_it_sends_and_receives(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/asyncapi.json")

    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert told["asyncapi"] == "3.0.0"
    assert "flexjob_pool.sends.flexjob_pool.flexjob.started.v1" in told["operations"]
    assert "/asyncapi.json" in (await stranger.get("/openapi.json")).json()["paths"]


async def test_the_document_tells_of_keys_problems_and_tokens(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    post = document["paths"]["/v1/notes"]["post"]
    assert [one["name"] for one in post["parameters"]] == ["Idempotency-Key"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document == (await client.get("/openapi.json")).json()


async def test_the_document_tells_every_refusal_that_a_door_knows_and_no_other(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    refusals = document["components"]["responses"]
    assert all("application/problem+json" in refusal["content"] for refusal in refusals.values())
    assert {
        f"{method} {path}": " ".join(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    } == {
        "get /livez": "200 400",
        "get /readyz": "200 400 503",
        "get /metrics": "200 400",
        "get /asyncapi.json": "200 400",
        "post /v1/notes": "201 400 401 403 409 413 415 422 503",
        "get /v1/notes": "200 400 401 403 422 503",
        "get /v1/notes/{note_id}": "200 400 401 403 404 422 503",
    }


async def test_the_document_tells_whom_a_door_admits(client: httpx.AsyncClient) -> None:
    notes = (await client.get("/openapi.json")).json()["paths"]["/v1/notes"]

    assert notes["post"]["security"] == [{"HTTPBearer": ["write:notes"]}]
    assert notes["post"]["description"] == "Needs a token with the scope `write:notes`."
    assert notes["get"]["security"] == [{"HTTPBearer": []}, {}]
