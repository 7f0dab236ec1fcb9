"""`vretrver train`: each stage of training, and the curriculum of all. Each goes on where it was stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .output import emit_table, note
from .progress import progress

app = typer.Typer(no_args_is_help=True)

OutOption = Annotated[Path, typer.Option(help="Folder of the run; a run that was stopped goes on.")]
ConfigOption = Annotated[Path | None, typer.Option(help="The configuration, YAML.")]
SetsOption = Annotated[list[str] | None, typer.Option("--set", help="Override a key, as in --set steps=100.")]


_SPINS = "20000"
"""Rounds, half a millisecond in all, that torch's threads stay awake for the next piece of a step."""


@app.callback()
def train() -> None:
    """Train models on the drawn catalogue, step by step."""
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)  # pieces follow one another faster than threads wake up


@app.command()
def pictures(
    out: Annotated[Path, typer.Option(help="File to write; one that was begun is completed.")],
    seed: Annotated[int, typer.Option(help="Seed of the catalogue.", min=0)] = 1,
    items: Annotated[int, typer.Option(help="Products; a multiple of 5.", min=5)] = 5000,
    workers: Annotated[int, typer.Option(help="Processes that draw.", min=1)] = 1,
) -> None:
    """Draw a gallery: the finished pictures of a catalogue that training goes through, each drawn once."""
    from ..world.gallery import draw_gallery

    out.parent.mkdir(parents=True, exist_ok=True)
    with progress("drawing") as update:
        count = draw_gallery(out, seed=seed, items=items, workers=workers, progress=update)
    note(f"the views of {count} pictures are in {out}")


@app.command()
def tokenizer(out: Annotated[Path, typer.Option(help="Folder to write.")]) -> None:
    """Write the tokenizer of the small models, the same every time."""
    from ..world.tiny.tokenizer import save_tokenizer
    from ..world.vocabulary import tiny_tokenizer

    made = tiny_tokenizer()
    out.mkdir(parents=True, exist_ok=True)
    save_tokenizer(made, out)
    note(f"a tokenizer of {made.get_vocab_size()} tokens is in {out}")


@app.command()
def perception(out: OutOption, config: ConfigOption = None, sets: SetsOption = None) -> None:
    """Teach the small vision tower to see, before any language is learned."""
    from ..config import load_config
    from ..training.start import PERCEPTION, require_libraries
    from ..world.perception.config import PerceptionConfig

    loaded = load_config(config, PerceptionConfig, sets=sets or [])
    require_libraries(PERCEPTION)
    from ..training.computing import computing
    from ..world.perception.train import train_perception

    with computing(loaded.threads):
        tower = train_perception(loaded, out, note=note)
    note(f"the tower is {tower}; name it as start.vision of embed and sft")


@app.command()
def embed(out: OutOption, config: ConfigOption = None, sets: SetsOption = None) -> None:
    """Train an encoder, so that it finds the group an item belongs to."""
    from ..config import load_config
    from ..training.start import EMBED, require_libraries
    from ..world.embed.config import EmbedConfig

    loaded = load_config(config, EmbedConfig, sets=sets or [])
    require_libraries(EMBED)
    from ..training.computing import computing
    from ..world.embed.run import train_embed

    with computing(loaded.threads):
        folder = train_embed(loaded, out, note=note)
    note(f"the encoder is in {folder}; name it {loaded.layout}:{folder}")


@app.command()
def expert(out: OutOption, config: ConfigOption = None, sets: SetsOption = None) -> None:
    """Let the scripted expert rank practice windows, and record what it says and is shown."""
    from ..config import load_config
    from ..world.expert.config import SynthesisConfig
    from ..world.expert.synthesis import synthesize

    loaded = load_config(config, SynthesisConfig, sets=sets or [])
    with progress("practising") as update:
        count = synthesize(loaded, out, progress=update)
    note(f"{count} trajectories are in {out}; name it as trajectories of sft")


@app.command()
def sft(out: OutOption, config: ConfigOption = None, sets: SetsOption = None) -> None:
    """Train an agent on trajectories: on what the assistant wrote, and nothing else."""
    from ..config import load_config
    from ..training.start import SFT, require_libraries
    from ..world.agent.config import LessonsConfig

    loaded = load_config(config, LessonsConfig, sets=sets or [])
    require_libraries(SFT)
    from ..training.computing import computing
    from ..world.agent.run import train_agent

    with computing(loaded.threads):
        folder = train_agent(loaded, out, note=note)
    note(f"the agent is in {folder}; name it as a local policy")


@app.command()
def curriculum(
    file: Annotated[Path, typer.Option(help="The stages, YAML.")] = Path("configs/curriculum.yaml"),
    only: Annotated[
        list[str] | None, typer.Option(help="A stage to run, with what it needs and is missing; default what ships.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the stages and whether they are done.")] = False,
) -> None:
    """Run the stages that make the shipped models; one that is done is skipped."""
    from ..config import load_config
    from ..world.curriculum import Curriculum, run_curriculum

    loaded = load_config(file, Curriculum, environ={})
    if not listed:
        run_curriculum(loaded, only or [], note=note)
        return
    done = loaded.seconds()
    rows = [
        (stage.name, stage.command, ", ".join(stage.needs), f"{done[stage.name]} s" if stage.name in done else "")
        for stage in (loaded.wanted(only) if only else loaded.stages)
    ]
    emit_table(("stage", "command", "needs", "done in"), rows)
