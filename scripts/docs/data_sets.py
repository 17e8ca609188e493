"""Write docs/data-sets.md: for every data set of recipes/data-sets.yaml its lines, and its first row as it is learnt.

python scripts/docs/data_sets.py FOLDER_OF_THE_DATA_SETS
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.data import Template
from mixwright.recipe.load import load_recipe
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.forms.reading import from_template
from mixwright.sources.inspection import inspect
from mixwright.sources.rows.readers import read_rows

ROOT = Path(__file__).parents[2]
LONGEST, OF_A_BENCHMARK = 500, 60  # characters of an example; what exceeds them is left out in the middle
HEAD = """# Data sets of many forms

Open data sets, each read by the few lines shown, with its first row as the embedded base's chat template renders it;
of a benchmark only the beginning, which is nobody's to learn from a page. The lines are those of
[recipes/data-sets.yaml](../recipes/data-sets.yaml), where `${data}` is the folder of the data sets; `mixwright inspect`
gives such lines for a data set of your own. This page is written by `scripts/docs/data_sets.py`.
"""


def shown(text: str, longest: int) -> str:
    text = text.replace("\r\n", "\n").replace("```", "'''")
    return text if len(text) <= longest else f"{text[: longest * 3 // 4].rstrip()} […] {text[-longest // 4 :]}"


def main(data: str) -> None:
    file = ROOT / "recipes" / "data-sets.yaml"
    plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    recipe = load_recipe(file, [f"data={data}"]).recipe
    tokenizer = ChatTokenizer(ROOT / "src/mixwright/models/embedded/nano")
    lines = [HEAD]
    for part in ("sources", "suites"):
        for name, entry in plain[part].items():
            written = yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True, width=100).rstrip()
            if part == "sources":
                found = inspect(recipe.sources[name], name)
                _, sample = found.examples[0]
                text = sample.text or tokenizer.render(sample.messages, answer_next=False)
                counts = f"{found.rows:,} rows" + (
                    f", {found.malformed:,} without an answer" if found.malformed else ""
                )
            else:
                suite = recipe.suites[name]
                rows = [row for one in files_of(suite, name) for row in read_rows(one, suite)]
                template = suite.prompt if isinstance(suite.prompt, Template) else Template(user=str(suite.prompt))
                text = tokenizer.render(from_template(template, rows[0].value or {}), answer_next=True)
                counts = f"{len(rows):,} rows; a benchmark: asked, never learnt"
            longest = LONGEST if part == "sources" else OF_A_BENCHMARK
            lines.append(f"\n## {name}\n{counts}\n\n```yaml\n{written}\n```\n```text\n{shown(text, longest)}\n```\n")
    (ROOT / "docs" / "data-sets.md").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
