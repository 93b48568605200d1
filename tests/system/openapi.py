"""Compares answers with what /openapi.json says of them. Every answer that a test gets through requests is looked at: support.py."""
import functools
import re
import urllib.parse

import jsonschema
import requests

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Description:
    """One document; shapes are compiled once."""

    def __init__(self, document):
        self.document = document
        self.paths = [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"), operations)
                      for path, operations in document["paths"].items()]

    def operation(self, method, path):
        """What is said of a request, None where nothing is."""
        method = "get" if method == "HEAD" else method.lower()
        return next((operations[method] for pattern, operations in self.paths
                     if pattern.match(path) and method in operations), None)

    @functools.lru_cache(maxsize=None)
    def validator(self, name):
        schema = {"$schema": DIALECT, "$ref": f"#/components/schemas/{name}", "components": self.document["components"]}
        return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    def faults_of(self, name, document):
        """Where a document is not of the shape with this name."""
        best = jsonschema.exceptions.best_match(self.validator(name).iter_errors(document))
        return f"at {best.json_path}: {best.message[:500]}" if best else None

    def check(self, method, path, answer):
        """Raises AssertionError where an answer is not as described."""
        operation = self.operation(method, path)
        what = f"{method} {path} -> {answer.status_code}"
        media = answer.headers.get("Content-Type", "").split(";")[0]
        if answer.status_code >= 400 and media == "application/problem+json":
            fault = self.faults_of("Problem", answer.json()) if method != "HEAD" else None
            assert not fault, f"{what}: {fault}"
            return
        assert operation, f"{what}: not in /openapi.json"
        assert str(answer.status_code) in operation["responses"], f"{what}: this status is not in /openapi.json"
        if answer.status_code in (204, 304):
            return
        content = operation["responses"][str(answer.status_code)].get("content", {})
        assert media in content or "*/*" in content, f"{what}: {media} is not in /openapi.json, only {list(content)}"
        schema = content.get(media, {}).get("schema")
        if schema and method != "HEAD":
            fault = self.faults_of(schema["$ref"].rsplit("/", 1)[1], answer.json())
            assert not fault, f"{what}: not as described {fault}"


_known = {}


def check_answer(answer, url, key, session):
    """A hook for requests: compares an answer of the habitd at `url`, of the build `key`, which describes itself once, to the first
    session that may ask."""
    request = answer.request
    if not url or not request.url.startswith(url + "/") or answer.headers.get("Content-Type") == "text/event-stream":
        return
    if key not in _known:
        described = requests.get(url + "/openapi.json", headers=session.headers, verify=session.verify, cert=session.cert, timeout=20)
        if described.status_code == 401:
            return
        _known[key] = Description(described.json())
    _known[key].check(request.method, urllib.parse.urlsplit(request.url).path, answer)
