import jsonschema
import pytest
import yaml

from skyquilt.config.schema import schema, schema_text


def test_schema_file_is_that_of_the_types(request):
    written = (request.config.rootpath / "config/config.schema.yaml").read_text()
    assert written == schema_text(), "run `make schema`"


@pytest.mark.parametrize("name", ["demo.yaml", "examples/cosi-test.yaml", "test/tiny.yaml"])
def test_configuration_in_the_repository_fits_the_schema(name, request):
    settings = yaml.safe_load((request.config.rootpath / "config" / name).read_text())
    jsonschema.validate(settings, schema())


def test_schema_refuses_an_unknown_key(request):
    settings = yaml.safe_load((request.config.rootpath / "config/demo.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError, match="nsid"):
        jsonschema.validate(settings | {"nsid": 4}, schema())
