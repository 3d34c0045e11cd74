"""Which parameter a server rejects, in the words of those that there are."""

from __future__ import annotations

import pytest

from gitforge.llm.parameters import OPTIONAL, rejected

SENT = ("temperature", "max_tokens", "seed", "reasoning_effort", "stream_options")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param(
            {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter",
            }, ("max_tokens",), id="OpenAI, a parameter",
        ),
        pytest.param(
            {
                "message": "Unsupported value: 'temperature' does not support 0.2 with this model. "
                "Only the default (1) value is supported.",
                "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value",
            }, ("temperature",), id="OpenAI, a value",
        ),
        pytest.param(
            {"message": "Unrecognized request argument supplied: stream_options", "param": None},
            ("stream_options",), id="Azure",
        ),
        pytest.param(
            {"object": "error", "message": {"detail": [
                {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"},
            ]}}, ("seed",), id="Mistral",
        ),
        pytest.param(
            {"message": "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs "
             "are not permitted', 'input': {'include_usage': True}}]", "type": "BadRequestError", "param": None},
            ("stream_options",), id="vLLM, an extra field",
        ),
        pytest.param(
            {"message": "'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum context "
             "length is 4096 tokens", "param": None}, ("max_tokens",), id="vLLM, a limit",
        ),
        pytest.param(
            {"detail": [
                {"type": "less_than_equal", "loc": ["body", "temperature"], "msg": "Input should be less than 2"},
                {"type": "int_parsing", "loc": ["body", "seed"], "msg": "Input should be a valid integer"},
            ]}, ("temperature", "seed"), id="FastAPI, two",
        ),
        pytest.param({"message": "property 'seed' is unsupported"}, ("seed",), id="Groq"),
        pytest.param(
            {"error": "Model grok does not support parameter reasoningEffort.", "code": "Client"},
            ("reasoning_effort",), id="camel case",
        ),
        pytest.param({"message": '"smollm2" does not support thinking'}, ("reasoning_effort",), id="Ollama"),
        pytest.param(
            [{"error": {"code": 400, "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find '
              'field.', "status": "INVALID_ARGUMENT"}}], ("seed",), id="Gemini",
        ),
        pytest.param({"message": "temperature: range: 0..1"}, ("temperature",), id="Anthropic"),
        pytest.param(
            "Input validation error: `temperature` must be strictly positive", ("temperature",), id="plain text"
        ),
        pytest.param(
            {"message": "Max tokens must be at most 1024"}, ("max_tokens",), id="words instead of a name"
        ),
        pytest.param(
            {"message": "Unknown field stream_options; known are temperature, seed"}, ("stream_options",),
            id="the first of several",
        ),
        pytest.param({"message": "Unsupported parameter(s) in the request"}, SENT, id="none named"),
        pytest.param({"message": "Extra fields not permitted"}, SENT, id="none named, of pydantic"),
    ],
)  # fmt: skip
def test_a_rejected_parameter_is_recognised(body: object, names: tuple[str, ...]) -> None:
    assert rejected(SENT, body) == names


@pytest.mark.parametrize(
    "body",
    [
        {"message": "The model `x` does not exist", "param": "model", "code": "model_not_found"},
        {
            "message": "Invalid type for 'messages[0].content': temperature 12 C",
            "param": "messages[0].content",
        },
        {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user' or 'system'"}]},
        {"message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"},
        {"message": "linseed and seedling"},
        "Bad Request",
        "<html>400</html>",
        {},
        [],
        None,
        7,
        {"param": None, "message": None},
    ],
)
def test_what_is_about_something_else_is_none(body: object) -> None:
    assert rejected(SENT, body) == ()


def test_only_what_was_sent_can_be_rejected() -> None:
    assert rejected(("seed",), {"message": "temperature is not supported", "param": "temperature"}) == ()
    assert rejected((), {"message": "Unsupported parameter"}) == ()


def test_every_parameter_is_found_by_its_own_name() -> None:
    for name in OPTIONAL:
        assert rejected(tuple(OPTIONAL), f"unknown: {name}!") == (name,)


def test_a_deep_body_is_read_without_recursion() -> None:
    body: object = "seed"
    for _ in range(100_000):
        body = [body]
    assert rejected(SENT, body) == ("seed",)
