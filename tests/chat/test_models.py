import pytest
from langchain_openai import ChatOpenAI

from hef_graph.chat.models import build_model, shared_model
from hef_graph.errors import HefModelError


def test_a_string_names_provider_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    model = build_model("openai:some-model")
    assert isinstance(model, ChatOpenAI)
    assert model.model_name == "some-model"


@pytest.mark.parametrize("name", ["nowhere:some-model", "some-model-of-nobody", "", ":"])
def test_a_model_of_no_known_provider_is_refused_by_name(name: str) -> None:
    with pytest.raises(HefModelError, match=repr(name)):
        build_model(name)


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    with pytest.raises(HefModelError, match=r"(?i)api_key"):
        build_model("openai:some-model")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(HefModelError, match="langchain-cohere"):
        build_model("cohere:some-model")


def test_the_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(HefModelError) as raised:
        build_model("openai:some-model")
    assert "\n" not in str(raised.value)


def test_a_string_of_every_call_is_set_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    assert shared_model("openai:some-shared-model") is shared_model("openai:some-shared-model")


def test_a_string_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    with pytest.raises(HefModelError):
        shared_model("openai:some-later-model")
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    assert isinstance(shared_model("openai:some-later-model"), ChatOpenAI)


def test_a_changed_environment_sets_a_string_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    before = shared_model("openai:some-shared-model")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert shared_model("openai:some-shared-model") is not before
