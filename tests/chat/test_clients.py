from functools import cached_property
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from pydantic import SecretStr

from hef_graph.chat.clients import single_call
from tests.fakes import ScriptedModel

KEY = SecretStr("test")


class LazyModel(ScriptedModel):
    """Makes its client when it is first needed, as several of LangChain's integrations do."""

    max_retries: int = 2

    @cached_property
    def _client(self) -> list[int]:
        return [self.max_retries]


def openai(**options: Any) -> ChatOpenAI:
    return ChatOpenAI(model="m", api_key=KEY, **options)


@pytest.mark.parametrize(
    "model",
    [openai(), openai(max_retries=7), AzureChatOpenAI(api_key=KEY, azure_endpoint="http://127.0.0.1", api_version="1")],
    ids=["default", "own number", "Azure"],
)
def test_the_clients_of_openai_no_longer_retry_by_themselves(model: Any) -> None:
    copy: Any = single_call(model, 3.0)
    clients = [copy.root_client, copy.root_async_client, copy.client._client, copy.async_client._client]
    assert [(client.max_retries, client.timeout) for client in clients] == [(0, 3.0)] * 4


@pytest.mark.parametrize(("own", "timeout"), [(None, 3.0), (1.5, 1.5), (60, 3.0)])
def test_a_shorter_timeout_of_the_callers_is_kept(own: float | None, timeout: float) -> None:
    copy: Any = single_call(openai(timeout=own), 3.0)
    assert copy.root_client.timeout == copy.root_async_client.timeout == timeout


def test_the_callers_own_model_is_left_as_it_is() -> None:
    model = openai()
    single_call(model, 3.0)
    assert model.root_client.max_retries == 2
    assert model.max_retries is None


def test_a_client_that_was_made_with_retries_is_made_anew_without() -> None:
    model = LazyModel(answers=[])
    assert model._client == [2]
    copy: Any = single_call(model, 3.0)
    assert (copy._client, model._client) == ([0], [2])


def test_a_model_without_such_settings_comes_back_as_it_is() -> None:
    model: BaseChatModel = ScriptedModel(answers=[])
    assert single_call(model, 3.0) is model


def test_an_asynchronous_key_leaves_only_the_asynchronous_client() -> None:
    async def key() -> str:
        return "test"

    copy: Any = single_call(ChatOpenAI(model="m", api_key=key), 3.0)
    assert (copy.root_client, copy.root_async_client.max_retries) == (None, 0)
