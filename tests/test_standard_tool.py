"""LangChain's own tests of a tool."""

from typing import Any

from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from hef_graph.tool import create_emotion_tool
from tests.fakes import StubSem

EXAMPLE = {"dialogue": ["My parrot died.", "Oh no.", "He was old."]}


class TestEmotionTool(ToolsUnitTests):
    @property
    def tool_constructor(self) -> BaseTool:
        return create_emotion_tool(StubSem())

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return EXAMPLE


class TestEmotionToolRunning(ToolsIntegrationTests):
    @property
    def tool_constructor(self) -> BaseTool:
        return create_emotion_tool(StubSem())

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return EXAMPLE
