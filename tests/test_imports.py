"""`import antidistill` stays light, and the front door opens on first use."""

import subprocess
import sys

HEAVY = [
    "torch",
    "transformers",
    "ray",
    "starlette",
    "matplotlib",
    "jinja2",
    "datasets",
    "scipy",
    "sklearn",
    "pyarrow",
    "numpy",
    "typer",
]


def loaded_by(statement: str) -> set[str]:
    script = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_package_loads_few_modules_and_nothing_heavy():
    modules = loaded_by("import antidistill")
    assert len(modules) < 120
    assert not modules & set(HEAVY)


def test_guarding_a_text_needs_nothing_heavy():
    modules = loaded_by(
        "import antidistill as ad; ad.guard(ad.Trace('1', 'p', 'So. Wait, no.', 'a'), ad.defense('traceguard'))"
    )
    assert not modules & set(HEAVY)


def test_every_name_of_the_front_door_opens():
    import antidistill as ad

    assert sorted(ad.__all__) == ad.__all__
    assert all(getattr(ad, name) is not None for name in ad.__all__)
    assert set(ad.__all__) <= set(dir(ad))
