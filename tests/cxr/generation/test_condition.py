import numpy as np
import pytest

from cxr.generation import Condition, ConditionFormat

FORMAT = ConditionFormat(("cardiomegaly", "edema"), (0.5, 0.05), (50.0, 20.0))


def test_vector_holds_severities_ratio_age_sex_and_view() -> None:
    asked = Condition({"edema": 1.5}, heart_ratio=0.6, age=30, sex="F", view="AP")
    np.testing.assert_allclose(FORMAT.vector(asked), [0, 1.5, 2, -1, 1, -1], rtol=1e-6)
    assert len(FORMAT.vector(asked)) == FORMAT.length


def test_what_is_not_said_is_the_mean() -> None:
    np.testing.assert_array_equal(FORMAT.vector(Condition()), np.zeros(6, np.float32))


def test_a_finding_that_is_not_drawn_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="cardiomegaly, edema; got hernia"):
        FORMAT.vector(Condition({"hernia": 1.0}))


def test_format_survives_json() -> None:
    assert ConditionFormat.from_dict(FORMAT.to_dict()) == FORMAT
    with pytest.raises(ValueError, match="heart_ratio"):
        ConditionFormat.from_dict({"findings": ["edema"]})


def test_a_finding_comes_with_what_mostly_goes_with_it() -> None:
    typical = {"edema": (0.5, 1.0, 0.2), "effusion": (0.1, 0.3, 0.9)}
    form = ConditionFormat(("cardiomegaly", "edema", "effusion"), typical=typical)
    assert ConditionFormat.from_dict(form.to_dict()) == form

    def severities(**named: float) -> list[float]:
        return form.vector(Condition(named))[:3].tolist()

    assert severities() == [0, 0, 0]
    assert severities(edema=2) == pytest.approx([1, 2, 0.4])
    assert severities(edema=1, effusion=2) == pytest.approx([0.5, 1, 2])
    assert severities(edema=2, cardiomegaly=0) == pytest.approx([0, 2, 0.4])
    assert severities(cardiomegaly=1) == [1, 0, 0]
    with pytest.raises(ValueError, match="typical"):
        ConditionFormat.from_dict({**form.to_dict(), "typical": {"edema": [1.0]}})
