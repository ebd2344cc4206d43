"""docs/settings.md says what the settings models say."""

from latchkey.app import Settings
from tests.kit.settings_page import PAGE, settings_page


def test_the_page_is_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run: make settings-page"


def test_every_setting_is_on_the_page_and_says_what_it_changes() -> None:
    page = settings_page()
    for name, field in Settings.model_fields.items():
        assert page.count(f"\n| {name.upper()} |") == 1, name
        assert field.description, name


def test_no_model_hides_a_validator_of_another() -> None:
    """Pydantic runs one validator a name: of two models that share one, the later would silently win."""
    models = [model for model in Settings.__mro__ if "Settings" in model.__name__ and "latchkey" in model.__module__]
    validators = [name for model in models for name in vars(model) if name.startswith("_") and "_is_" in name]
    assert len(validators) > 5
    assert len(validators) == len(set(validators))
