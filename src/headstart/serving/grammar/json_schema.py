"""From a JSON schema to a grammar whose every text parses and validates against it.

The engines' own converters let a model write white space and digits without end and ignore
keywords that they do not know. This one bounds both, and refuses by name what a grammar cannot
enforce. It may allow less than the schema does: only declared properties, in their order; numbers
of up to 15 digits. Written in the notation that XGrammar and llama.cpp share (GBNF).
"""

from __future__ import annotations

import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from headstart.errors import BadRequest
from headstart.serving.grammar.digits import LARGEST, integers, numbers

_MAX_REPEAT = 512
_MAX_SCHEMAS = 2000
_MAX_DEPTH = 64

_BASE = {
    "ws": '(" " | "\\n" [ ]{0,16})?',
    "char": r'[^"\\\x00-\x1f\x7f] | "\\" (["\\/bfnrt] | "u" ([0-9a-cefA-CEF] [0-9a-fA-F]{3} '
    r"| [dD] [0-7] [0-9a-fA-F]{2}))",
    "string": r'"\"" char* "\""',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,14})',
    "number": 'integer ("." [0-9]{1,15})? ([eE] [+-]? [0-9]{1,2})?',
    "object": '"{" ws (member ("," ws member)* ws)? "}"',
    "member": 'string ":" " "? any',
    "array": '"[" ws (any ("," ws any)* ws)? "]"',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "any": "object | array | string | number | boolean | null",
    "year": "[0-9]{4}",
    "monthday": '("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01]) | '
    '("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30") | '
    '"02-" ("0" [1-9] | "1" [0-9] | "2" [0-8])',
    "clock": '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? '
    '("Z" | [+-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
    "date": 'year "-" (monthday)',
    "hex": "[0-9a-f]",
    "byte": '"25" [0-5] | "2" [0-4] [0-9] | "1" [0-9] [0-9] | [1-9]? [0-9]',
}
_FORMATS = {
    "date": "date",
    "time": "clock",
    "date-time": 'date "T" clock',
    "uuid": 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
    "ipv4": '(byte) "." (byte) "." (byte) "." (byte)',
    "email": '[a-z0-9] [a-z0-9._-]* "@" ([a-z0-9] [a-z0-9-]* ".")* [a-z0-9]+ "." [a-z]{2,6}',
}
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_OF_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
}
_COMBINING = {"$ref", "anyOf", "oneOf", "allOf", "const", "enum"}
_NOT_ENFORCED = frozenset(
    {"$dynamicRef", "additionalItems", "contains", "contentEncoding", "contentMediaType"}
    | {"dependencies", "dependentRequired", "dependentSchemas", "else", "if", "maxContains"}
    | {"maxProperties", "minContains", "minProperties", "multipleOf", "not", "pattern"}
    | {"patternProperties", "propertyNames", "then", "unevaluatedItems"}
    | {"unevaluatedProperties", "uniqueItems"}
)
_CONSTRAINING = set().union(*_OF_TYPE.values()) | _COMBINING


def json_grammar(schema: dict[str, Any]) -> str:
    """The grammar of the JSON texts that validate against `schema`; its start is `root`."""
    grammar = JsonGrammar(schema)
    return grammar_text({"root": grammar.root, **grammar.rules})


def grammar_text(rules: dict[str, str]) -> str:
    """The rules as text, with the ones that all grammars share."""
    return "".join(f"{name} ::= {body}\n" for name, body in (rules | _BASE).items())


class JsonGrammar:
    """The `rules` of one schema; `root` is the expression for what validates against it.

    `loose` is set when it also allows strings that are longer or shorter than they may be.
    """

    def __init__(self, schema: Any, prefix: str = "", counted: int = _MAX_REPEAT) -> None:
        """`prefix` keeps the rules of several schemas in one grammar apart. Lengths of strings
        above `counted` are left open, for engines to whom counting that far is expensive."""
        self.loose = False
        self._counted = counted
        self._document = schema
        self._prefix = prefix
        self.rules: dict[str, str] = {}
        self._names: dict[str, str] = {}  # of a rule by its body, so that equal ones are shared
        self._references: dict[str, str] = {}
        self._count = 0
        self.root = self.value(schema, 0, frozenset())

    def value(self, schema: Any, depth: int, heads: frozenset[str]) -> str:
        """An expression for one schema. `heads`: references on the way here without a character
        in between, where coming back to one would never end."""
        self._count += 1
        if self._count > _MAX_SCHEMAS or depth > _MAX_DEPTH:
            raise _refusal(f"it has more than {_MAX_SCHEMAS} parts or {_MAX_DEPTH} levels")
        if schema is True:
            return "any"
        if not isinstance(schema, dict):
            raise _refusal(f"{schema!r} allows no value")
        _check_keywords(schema)
        combined = _COMBINING & schema.keys()
        if not combined:
            return self._typed(schema, depth)
        return self._combined(sorted(combined)[0], schema, depth, heads)

    def _combined(self, keyword: str, schema: Any, depth: int, heads: frozenset[str]) -> str:
        beside = (_CONSTRAINING & schema.keys()) - {keyword}
        if beside:
            raise _refusal(f"'{keyword}' beside {', '.join(map(repr, sorted(beside)))}")
        if keyword == "$ref":
            return self._reference(schema["$ref"], depth, heads)
        if keyword in ("const", "enum"):
            return self._literals(
                schema, [schema["const"]] if keyword == "const" else schema["enum"]
            )
        choices = schema[keyword]
        if not isinstance(choices, list) or not choices:
            raise _refusal(f"'{keyword}' is not a list of schemas")
        if "type" in schema:
            choices = [_with_type(choice, schema["type"]) for choice in choices]
        if keyword == "allOf" and len(choices) > 1:
            raise _refusal("'allOf' of more than one schema")
        if keyword == "oneOf" and not self._disjoint(choices):
            raise _refusal("'oneOf' of schemas that may hold at once; use 'anyOf'")
        return self._any_of([self.value(choice, depth + 1, heads) for choice in choices])

    def _typed(self, schema: dict[str, Any], depth: int) -> str:
        kinds = schema.get("type")
        if kinds is None:
            kinds = [kind for kind, words in _OF_TYPE.items() if words & schema.keys()]
            if not kinds:
                return "any"
            if len(kinds) > 1:
                raise _refusal(f"a schema without 'type' that speaks of {' and '.join(kinds)}")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        unknown = [kind for kind in kinds if kind not in _TYPES]
        if unknown or not kinds:
            raise _refusal(f"the type {unknown or kinds!r}")
        return self._any_of([self._of_type(kind, schema, depth) for kind in kinds])

    def _of_type(self, kind: str, schema: dict[str, Any], depth: int) -> str:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return self._string(schema)
        if kind in ("integer", "number"):
            return self._number(kind, schema)
        return kind

    # --- objects and arrays ---------------------------------------------------------------

    def _object(self, schema: dict[str, Any], depth: int) -> str:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        more = schema.get("additionalProperties", True)
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise _refusal("'properties' is not an object or 'required' is not a list")
        undeclared = [name for name in required if name not in properties]
        if undeclared and more is False:
            raise _refusal(f"{undeclared[0]!r} is required and not allowed")
        members = {**properties, **dict.fromkeys(undeclared, more)}
        if not members:
            return self._map(more, depth)
        spelled = []
        for name, part in members.items():
            body = f'{_json(name)} ":" " "? {self.value(part, depth + 1, frozenset())}'
            spelled.append((self._rule(body), name in required))
        return self._rule(f'"{{" ws {self._members(spelled)} ws "}}"')

    def _members(self, spelled: list[tuple[str, bool]]) -> str:
        """Members in their order, the optional ones or not, with commas between them."""
        after: str | None = None  # what may follow once a member is written
        first: str | None = None  # what may come while none is
        for rule, is_required in reversed(spelled):
            rest = f" {after}" if after else ""
            here = f"{rule}{rest}"
            first_body = here if is_required else f"({here} | {first})" if first else f"({here})?"
            after_body = f'"," ws {here}'
            if not is_required:
                after_body = f"({after_body} | {after})" if after else f"({after_body})?"
            first, after = self._rule(first_body), self._rule(after_body)
        return first or ""

    def _map(self, schema: Any, depth: int) -> str:
        if schema is False:
            return '"{" ws "}"'
        if schema is True:
            return "object"
        part = self.value(schema, depth + 1, frozenset())
        member = self._rule(f'string ":" " "? {part}')
        return self._rule(f'"{{" ws ({member} ("," ws {member})* ws)? "}}"')

    def _array(self, schema: dict[str, Any], depth: int) -> str:
        least, most = _bounds(schema, "minItems", "maxItems")
        prefix = schema.get("prefixItems", [])
        if not isinstance(prefix, list):
            raise _refusal("'prefixItems' is not a list")
        fixed = [self.value(part, depth + 1, frozenset()) for part in prefix]
        if fixed:
            if least > len(fixed) or (most is not None and most < len(fixed)):
                raise _refusal("'prefixItems' with another number of items")
            items = ' "," ws '.join(fixed)
            return self._rule(f'"[" ws {items} ws "]"')
        if schema.get("items") is False or most == 0:
            return '"[" ws "]"'
        item = self.value(schema.get("items", True), depth + 1, frozenset())
        more = _repeat(f'("," ws {item})', max(0, least - 1), None if most is None else most - 1)
        items = f"{item} {more} ws" if least else f"({item} {more} ws)?"
        return self._rule(f'"[" ws {items} "]"')

    # --- scalars --------------------------------------------------------------------------

    def _string(self, schema: dict[str, Any]) -> str:
        least, most = _bounds(schema, "minLength", "maxLength")
        if "format" in schema:
            if schema["format"] not in _FORMATS or "minLength" in schema or "maxLength" in schema:
                raise _refusal(f"the format {schema['format']!r}, or one beside a length")
            return self._rule(rf'"\"" {_FORMATS[schema["format"]]} "\""')
        if most is not None and most > self._counted:
            self.loose, most = True, None
        if least > self._counted:
            self.loose, least = True, 0
        if not least and most is None:
            return "string"
        return self._rule(rf'"\"" {_repeat("char", least, most)} "\""')

    def _number(self, kind: str, schema: dict[str, Any]) -> str:
        given = _OF_TYPE["number"] & schema.keys()
        for word in given:
            if isinstance(schema[word], bool) or not isinstance(schema[word], int | float):
                raise _refusal(f"'{word}' is not a number")
        if not given:
            return kind
        lows = [Decimal(str(schema[w])) for w in ("minimum", "exclusiveMinimum") if w in schema]
        highs = [Decimal(str(schema[w])) for w in ("maximum", "exclusiveMaximum") if w in schema]
        low, high = max([*lows, Decimal(-LARGEST)]), min([*highs, Decimal(LARGEST)])
        open_low = "exclusiveMinimum" in schema and low == lows[-1]
        open_high = "exclusiveMaximum" in schema and high == highs[-1]
        if kind == "integer":
            least = int(low.to_integral_value(ROUND_CEILING))
            most = int(high.to_integral_value(ROUND_FLOOR))
            spelled = integers(
                least + (open_low and least == low), most - (open_high and most == high)
            )
        else:
            spelled = numbers(low, high, open_low=open_low, open_high=open_high)
        if not spelled:
            raise _refusal(f"no {kind} lies between {low} and {high}")
        return self._any_of(spelled)

    def _literals(self, schema: dict[str, Any], values: Any) -> str:
        if not isinstance(values, list):
            raise _refusal("'enum' is not a list")
        kinds = schema.get("type", list(_TYPES))
        kinds = kinds if isinstance(kinds, list) else [kinds]
        allowed = [value for value in values if any(_is_of_type(value, kind) for kind in kinds)]
        if not allowed:
            raise _refusal("an 'enum' or 'const' without a value of its type")
        return self._any_of([_json(value) for value in allowed])

    # --- references and rules -------------------------------------------------------------

    def _reference(self, reference: Any, depth: int, heads: frozenset[str]) -> str:
        if reference in heads:
            raise _refusal(f"{reference!r} refers to itself and to nothing else")
        if reference not in self._references:
            name = self._references[reference] = f"{self._prefix}ref{len(self._references)}"
            target = self._resolve(reference)
            self.rules[name] = self.value(target, depth + 1, heads | {reference})
        return self._references[reference]

    def _resolve(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise _refusal(f"the reference {reference!r}, which does not point into the schema")
        found = self._document
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise _refusal(f"the reference {reference!r}, which leads nowhere")
            found = found[name]
        return found

    def _disjoint(self, choices: list[Any]) -> bool:
        """Whether at most one of the schemas can hold: other types, or a property that tells."""
        solid = [self._dereferenced(choice) for choice in choices]
        if not all(isinstance(choice, dict) for choice in solid):
            return False
        return all(
            _tell_apart(one, other) for i, one in enumerate(solid) for other in solid[i + 1 :]
        )

    def _dereferenced(self, schema: Any) -> Any:
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            schema = self._resolve(schema["$ref"])
        return schema

    def _any_of(self, expressions: list[str]) -> str:
        distinct = list(dict.fromkeys(expressions))
        return distinct[0] if len(distinct) == 1 else self._rule(" | ".join(distinct))

    def _rule(self, body: str) -> str:
        if body not in self._names:
            self._names[body] = f"{self._prefix}r{len(self._names)}"
            self.rules[self._names[body]] = body
        return self._names[body]


def _check_keywords(schema: dict[str, Any]) -> None:
    for word in sorted(_NOT_ENFORCED & schema.keys()):
        if schema[word] not in (None, False) and schema[word] != {}:
            raise _refusal(f"the keyword '{word}'")


def _bounds(schema: dict[str, Any], low: str, high: str) -> tuple[int, int | None]:
    least, most = schema.get(low, 0), schema.get(high)
    for word, value in ((low, least), (high, most)):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _refusal(f"'{word}' is {value!r}")
        if value > _MAX_REPEAT:
            raise _refusal(f"'{word}' above {_MAX_REPEAT}")
    if most is not None and most < least:
        raise _refusal(f"'{high}' below '{low}'")
    return least, most


def _repeat(expression: str, least: int, most: int | None) -> str:
    if most is None:
        return f"{expression}{{{least},}}" if least else f"{expression}*"
    return f"{expression}{{{least},{most}}}" if most else ""


def _with_type(schema: Any, kind: Any) -> Any:
    if not isinstance(schema, dict) or "type" in schema or "$ref" in schema:
        return schema
    return {"type": kind, **schema}


def _tell_apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    kinds, other_kinds = _kinds(one), _kinds(other)
    if kinds and other_kinds and not kinds & other_kinds:
        return True
    names = set(one.get("required", [])) & set(other.get("required", []))
    for name in names:
        values = _fixed(one.get("properties", {}).get(name))
        others = _fixed(other.get("properties", {}).get(name))
        if values and others and not any(value in others for value in values):
            return True
    values, others = _fixed(one), _fixed(other)
    return bool(values and others and not any(value in others for value in values))


def _kinds(schema: dict[str, Any]) -> set[str]:
    kinds = schema.get("type", [])
    found = set(kinds if isinstance(kinds, list) else [kinds])
    return found | {"number"} if "integer" in found else found


def _fixed(schema: Any) -> list[Any]:
    if not isinstance(schema, dict):
        return []
    return [schema["const"]] if "const" in schema else list(schema.get("enum", []))


def _is_of_type(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return bool(kind == "boolean")
    kinds: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
        "null": type(None),
    }  # fmt: skip
    return kind in kinds and isinstance(value, kinds[kind])


def literal(text: str) -> str:
    """A grammar expression for exactly this text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    return literal(json.dumps(value, ensure_ascii=False))


def _refusal(what: str) -> BadRequest:
    return BadRequest(
        f"The JSON schema cannot be enforced: {what}. Leave it out, or check the answer yourself.",
        param="response_format",
        code="unsupported_schema",
    )
