"""The making of podtemplate.json from Kubernetes' types, on small ones."""

from __future__ import annotations

from tools.podtemplate.structural import structural
from tools.podtemplate.upstream import Schema, Schemas, enums, short_name

PORT: Schema = {
    "type": "object",
    "description": "A port.",
    "required": ["port"],
    "properties": {
        "protocol": {"type": "string", "default": "TCP", "enum": ["TCP", "UDP"]},
        "port": {"type": "integer", "format": "int32", "default": 0},
    },
}
TYPES: Schemas = {"core.v1.Port": PORT, "core.v1.Empty": {"type": "object"}}


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/io.k8s.api.{name}"}


def test_reference_with_a_default_beside_it_is_inlined_without_the_default() -> None:
    node = {"allOf": [reference("core.v1.Empty")], "default": {}, "description": "Nothing."}
    assert structural(node, TYPES) == {"type": "object"}


def test_key_of_a_list_map_keeps_its_default_unless_it_is_required() -> None:
    ports = {
        "type": "array",
        "items": reference("core.v1.Port"),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
        "x-kubernetes-patch-merge-key": "port",
    }
    made = structural(ports, TYPES)
    assert made["items"] == {
        "type": "object",
        "required": ["port"],
        "properties": {
            "port": {"type": "integer", "format": "int32"},
            "protocol": {"type": "string", "enum": ["TCP", "UDP"], "default": "TCP"},
        },
    }
    assert "x-kubernetes-patch-merge-key" not in made


def test_types_are_known_by_package_version_and_name() -> None:
    assert short_name("io.k8s.apimachinery.pkg.apis.meta.v1.Time") == "meta.v1.Time"


def test_enums_are_found_in_generated_go() -> None:
    go = """\
func schema_k8sio_api_core_v1_Claim(ref common.ReferenceCallback) common.OpenAPIDefinition {
				Properties: map[string]spec.Schema{
					"mode": {
						SchemaProps: spec.SchemaProps{
							Type:        []string{"string"},
							Enum:        []interface{}{"", "Block"},
						},
					},
					"accessModes": {
							Items: &spec.SchemaOrArray{
										Enum:    []interface{}{"ReadOnlyMany"},
"""
    assert list(enums(go)) == [
        ("core.v1.Claim", "mode", ["", "Block"]),
        ("core.v1.Claim", "accessModes", ["ReadOnlyMany"]),
    ]
