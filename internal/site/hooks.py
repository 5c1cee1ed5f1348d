"""What the pages have that Markdown for a site has not: marks behind fences, which tests
read, and links to files of the project that are no pages."""

import posixpath
import re

REPOSITORY = "https://github.com/flyball-io/flyball/blob/main/"
FENCE = re.compile(r"^(\s*```)(\w+)[ \t]+(?!title=)[^\n]*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown, page, config, files):
    """Cuts marks, and sends links out of docs/ to the repository."""
    here = posixpath.dirname(page.file.src_uri)

    def resolve(match):
        target = match.group(1)
        if "://" in target or target.startswith("mailto:"):
            return match.group(0)
        path = posixpath.normpath(posixpath.join(here, target))
        if path.startswith("../") or target.endswith("/"):
            return "](" + REPOSITORY + posixpath.normpath("docs/" + path) + (match.group(2) or "") + ")"
        return match.group(0)

    parts = re.split(r"(^\s*```.*?^\s*```[ \t]*$)", FENCE.sub(r"\1\2", markdown), flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.lstrip().startswith("```") else LINK.sub(resolve, part) for part in parts)
