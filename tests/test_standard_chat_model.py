"""LangChain's own tests of a chat model: over HTTP against a local server, and with the embedded listener."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import SecretStr

from hef_graph.chat_model import EmpatheticChatModel
from tests.fakes import SpeakingStubSem, reply_json
from tests.servers import OpenAIServer


class Described:
    """What all of these tests are told of the model."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return EmpatheticChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"sem": SpeakingStubSem()}

    @property
    def returns_usage_metadata(self) -> bool:
        return False  # it does, but the run inside bears the `model_name`: with a second one, callbacks count twice


class TestItself(Described, ChatModelUnitTests):
    pass


class TestWithTheEmbeddedListener(Described, ChatModelIntegrationTests):
    pass


class TestOverHTTP(Described, ChatModelIntegrationTests):
    """Strict: the listener may not stand in for the server."""

    @pytest.fixture(autouse=True)
    def served(self) -> Iterator[None]:
        with OpenAIServer(reply_json("joyful", "Hello, how are you?")) as self.server:
            yield

    @property
    def chat_model_params(self) -> dict[str, Any]:
        model = ChatOpenAI(model="test-model", base_url=self.server.base_url, api_key=SecretStr("test"))
        return {"sem": SpeakingStubSem(), "model": model, "strict": True}
