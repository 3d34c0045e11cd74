"""What drafts cost: estimates, marked as such."""

from __future__ import annotations

import pytest

from gitforge import cost
from gitforge.cost import EXPECTED_OUTPUT, Estimate, Pricing
from gitforge.errors import UserError
from gitforge.llm import Message, Usage

OPENAI = "https://api.openai.com/v1"
MILLION = Usage(1_000_000, 1_000_000)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("word", 1), ("a word or two, in English", 7), ("Größe", 2), ("語語語", 3), ("привет", 3)],
)
def test_tokens_are_guessed_by_script(text: str, count: int) -> None:
    assert cost.tokens(text) == count


def test_a_known_model_at_its_vendors_address_has_a_price() -> None:
    dollars = Pricing("gpt-4o-mini", OPENAI).dollars(MILLION)
    assert dollars == pytest.approx(0.15 + 0.60)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4o-mini", "http://localhost:11434/v1"),  # of the same name, but not the vendor's
        ("no-such-model", OPENAI),
        ("gpt-4o-mini", None),
        ("gpt-4o-mini", "no address at all"),
        ("", OPENAI),
    ],
)
def test_where_nobody_knows_the_price_there_is_none(model: str, base_url: str | None) -> None:
    assert Pricing(model, base_url).dollars(MILLION) is None


def test_the_users_own_prices_hold_before_all_others() -> None:
    assert Pricing("gpt-4o-mini", OPENAI, (2.0, 8.0)).dollars(Usage(500_000, 250_000)) == pytest.approx(3.0)
    assert Pricing("anything", None, (0.0, 0.0)).dollars(MILLION) == 0


def test_what_was_not_counted_has_no_price() -> None:
    assert Pricing("gpt-4o-mini", OPENAI).dollars(None) is None


def test_an_address_with_a_password_does_not_show() -> None:
    assert "s3cret" not in repr(Pricing("m", "https://me:s3cret@example.org/v1"))


def test_an_estimate_is_of_all_prompts_and_as_many_long_drafts() -> None:
    prompt = [Message("system", "x" * 40), Message("user", "x" * 80)]
    found = cost.estimate([prompt, prompt], Pricing("m", None, (1.0, 1.0)))
    assert found.drafts == 2
    assert found.usage == Usage(2 * (10 + 20 + 8), 2 * EXPECTED_OUTPUT)
    assert found.dollars == pytest.approx((found.usage.input_tokens + found.usage.output_tokens) / 1e6)


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(0, "$0"), (0.0000123, "$0.000012"), (0.00312, "$0.0031"), (0.5, "$0.5000"), (1234.5, "$1,234.50")],
)
def test_amounts_have_as_many_places_as_they_need(dollars: float, text: str) -> None:
    assert cost.amount(dollars) == text


def test_sums_leave_out_what_nobody_knows_and_are_unknown_where_nobody_knows_anything() -> None:
    assert cost.add_usage([Usage(1, 2), None, Usage(3, 4)]) == Usage(4, 6)
    assert cost.add_usage([None]) is None
    assert cost.add_dollars([0.1, None, 0.2]) == pytest.approx(0.3)
    assert cost.add_dollars([]) is None


class TestALimit:
    def test_lets_through_what_is_below_it_and_whatever_has_none(self) -> None:
        cost.refuse_beyond(1.0, Estimate(3, MILLION, 0.99))
        cost.refuse_beyond(None, Estimate(3, MILLION, None))
        cost.refuse_beyond(0.0, Estimate(0, Usage(0, 0), None))

    def test_refuses_what_is_beyond_it(self) -> None:
        with pytest.raises(UserError, match=r"about \$1.50 .*at most \$1.00 .*nothing was sent"):
            cost.refuse_beyond(1.0, Estimate(3, MILLION, 1.5))

    def test_refuses_what_nobody_knows_the_price_of(self) -> None:
        with pytest.raises(UserError, match="not known") as raised:
            cost.refuse_beyond(1.0, Estimate(3, MILLION, None))
        assert "gitforge.price-input" in (raised.value.hint or "")
