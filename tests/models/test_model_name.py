import pytest

from avalanche_emgd.models.model_name import check_model_name


@pytest.mark.parametrize("name", ["mlp", "resnet18", "slim-resnet18", "module:callable"])
def test_known_names(name):
    check_model_name(name)


def test_the_nearest_name_is_suggested():
    with pytest.raises(ValueError, match=r"`model` .*'resnet8'.*Did you mean 'resnet18'\?"):
        check_model_name("resnet8")
