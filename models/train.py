"""Trains the prose model from annotated passages: ``gongkai train``, or ``python -m models.train``.

Reads top to bottom: passages, network, epochs with early stopping, export to ONNX, calibration, scores. Needs the
extra ``train``; what it writes is run by ``models/tagger.py`` without it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file, save_file
from scipy.optimize import isotonic_regression
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from extractors.encoding import encode
from extractors.fields import claim_fields
from extractors.narrative import CHANNEL, LEADER, NIL
from models.augment import Composer
from models.corpus import Example, Passage, cut, hold_out, read_passages, to_example
from models.decode import decode, decode_titles
from models.evaluate import Counts, count, interval, read_passage, score, total
from models.network import Network, Outputs, Recurrent, load_encoder
from models.roles import role_examples
from models.tagger import CLAIM, Tagger, last_tokens
from models.tags import TITLE, Tags

log = logging.getLogger(__name__)

BASE = Path(__file__).parent / "base"
CHECKPOINT = "checkpoint.safetensors"
# The scores at which a calibration curve is kept; most lie near 1.
_GRID = (*(step / 10 for step in range(10)), 0.93, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.997, 0.999, 1.0)
# A curve from fewer mentions than this would say little.
FEWEST = 30
# How a model's card names the base that came with this package.
SHIPPED = "shipped"
# Batches are padded to a multiple of so many tokens.
SHAPE = 32
# Outputs of the exported network in float32 differ from torch's by rounding only.
EXPORT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run depends on besides its data and its base. Rates are AdamW's; ``hold`` is a share of the passages.

    ``roles`` is the share of the leaders that are asked for in an epoch; ``replay`` bounds how many passages
    that are not new are learnt again, so that nothing is forgotten.
    """

    epochs: int = 18
    batch: int = 12
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    decay: float = 0.01
    warmup: float = 0.06
    unknown: float = 0.04
    hold: float = 0.05
    roles: float = 0.5
    replay: int | None = None
    patience: int = 5
    nil_weight: float = 1.0
    layers: int | None = None
    kind: str = "encoder"
    random_start: bool = False
    frozen_words: bool = True
    half: bool = True
    seed: int = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids and mask (batch, length), and for each example the tokens of its characters."""

    ids: Tensor
    mask: Tensor
    places: list[Tensor]
    examples: Sequence[Example]


class Trainer:
    """The network, its tokenizer and its labels, and the steps that change it."""

    def __init__(self, base: str, settings: Settings) -> None:
        """The network on ``base``: an encoder (directory or hub id), or a trained model to go on from.

        Raises:
            ValueError: the weights of a trained model are of another network.
            OSError: there is no such base.
        """
        trained = Path(base) if (Path(base) / CHECKPOINT).exists() else None
        if trained:
            card = json.loads((trained / "model.json").read_text(encoding="utf-8"))
            base = str(BASE) if card["base"] == SHIPPED else card["base"]
            shape = ("layers", "kind", "random_start", "frozen_words")
            settings = replace(settings, **{name: card["settings"][name] for name in shape})
        self.base = SHIPPED if base == str(BASE) else base
        self.settings = settings
        self.fields = tuple(field.name for field in claim_fields())
        self.tags = Tags((*self.fields, NIL, LEADER, CHANNEL, TITLE))
        fast = AutoTokenizer.from_pretrained(base)
        self.tokenizer: Tokenizer = fast.backend_tokenizer
        self.pad, self.unknown = fast.pad_token_id, fast.unk_token_id
        encoder = load_encoder(base, settings.layers, settings.random_start)
        if settings.frozen_words and not settings.random_start:
            encoder.get_input_embeddings().weight.requires_grad_(False)
        network = Recurrent(encoder) if settings.kind == "recurrent" else encoder
        self.network = Network(network, len(self.tags.names), len(self.fields))
        if trained:
            self._resume(trained / CHECKPOINT)

    def _resume(self, checkpoint: Path) -> None:
        """Goes on from trained weights; frozen embeddings are not among them."""
        weights = {name: value.float() for name, value in load_file(checkpoint).items()}
        missing, strange = self.network.load_state_dict(weights, strict=False)
        if strange or any("word_embeddings" not in name for name in missing):
            raise ValueError(f"{checkpoint}: the weights are of another network")

    def batch(self, examples: Sequence[Example], training: bool) -> Batch:
        """``examples`` padded to one length; in training some characters are made unknown."""
        encodings = [self.tokenizer.encode(list(example.chars), is_pretokenized=True) for example in examples]
        # Few different shapes: the kernels are compiled anew for each.
        longest = -(-max(len(encoding.ids) for encoding in encodings) // SHAPE) * SHAPE
        ids = torch.full((len(examples), longest), self.pad)
        mask = torch.zeros_like(ids)
        places = []
        for row, (encoding, example) in enumerate(zip(encodings, examples, strict=True)):
            place = torch.from_numpy(last_tokens(encoding.word_ids, len(example.chars)))
            tokens = torch.tensor(encoding.ids)
            if training:
                lost = place[torch.rand(len(place)) < self.settings.unknown]
                tokens[lost] = self.unknown
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
            places.append(place)
        return Batch(ids, mask, places, examples)

    def outputs(self, batch: Batch) -> list[Outputs]:
        """The network's outputs at the characters of each example."""
        half = self.settings.half and self.settings.kind == "encoder"
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            whole = self.network(batch.ids, batch.mask)
        return [Outputs(*(output[row][place].float() for output in whole)) for row, place in enumerate(batch.places)]

    def loss(self, batch: Batch) -> Tensor:
        """Cross entropy of tags and of the fields of nils, weighted and summed."""
        outputs = self.outputs(batch)
        tag_scores, tag_labels, nil_scores, nil_labels = [], [], [], []
        for output, example in zip(outputs, batch.examples, strict=True):
            tag_scores.append(output.tags)
            spans = [(target.start, target.end, target.tag) for target in example.targets]
            tag_labels.append(torch.tensor(self.tags.encode(len(example.chars), spans)))
            for target in example.targets:
                if target.fields:
                    label = torch.zeros(len(self.fields))
                    label[[self.fields.index(name) for name in target.fields]] = 1.0
                    nil_scores.append(output.nil[target.start])
                    nil_labels.append(label)
        loss = functional.cross_entropy(torch.cat(tag_scores), torch.cat(tag_labels))
        if nil_scores:
            nil = functional.binary_cross_entropy_with_logits(torch.stack(nil_scores), torch.stack(nil_labels))
            loss = loss + self.settings.nil_weight * nil
        return loss

    def epochs(
        self, examples: Sequence[Example], roles: Sequence[Example], held: Sequence[Example]
    ) -> list[dict[str, float]]:
        """Trains until the held-out score stops rising; the network ends with its best weights.

        ``roles`` are examples of marked leaders; an epoch has ``settings.roles`` of them.
        """
        settings = self.settings
        rng = random.Random(settings.seed)
        composer = Composer(examples, rng)
        asked = round(settings.roles * len(roles))
        steps = settings.epochs * math.ceil((len(examples) + asked) / settings.batch)
        optimiser = torch.optim.AdamW(self._groups(), weight_decay=settings.decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_then_down(steps, settings.warmup))
        history: list[dict[str, float]] = []
        best: dict[str, Tensor] = {}
        begun = time.monotonic()
        for epoch in range(1, settings.epochs + 1):
            self.network.train()
            losses = []
            lessons = [composer(example) for example in examples]
            lessons += [composer.noisy(example) for example in rng.sample(roles, asked)]
            for group in _batches(lessons, settings.batch, rng):
                loss = self.loss(self.batch(group, training=True))
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                losses.append(loss.item())
            entry = {"epoch": epoch, "loss": sum(losses) / len(losses), "held_out": self.held_out_score(held)}
            history.append(entry)
            log.info(
                "epoch %d of %d: loss %.3f, held-out F1 %.4f, %.0f s", epoch, settings.epochs, entry["loss"],
                entry["held_out"], time.monotonic() - begun,
            )  # fmt: skip
            if entry["held_out"] >= max(item["held_out"] for item in history):
                best = {name: value.clone() for name, value in self.network.state_dict().items()}
            elif epoch - _best_epoch(history) >= settings.patience:
                log.info("no better for %d epochs: stopped", settings.patience)
                break
        self.network.load_state_dict(best)
        return history

    def _groups(self) -> list[dict[str, Any]]:
        named = [(name, weight) for name, weight in self.network.named_parameters() if weight.requires_grad]
        recurrent = self.settings.kind == "recurrent"
        encoder = [weight for name, weight in named if name.startswith("encoder.") and not recurrent]
        heads = [weight for name, weight in named if not name.startswith("encoder.") or recurrent]
        groups = [{"params": heads, "lr": 2e-3 if recurrent else self.settings.head_rate}]
        return [*groups, {"params": encoder, "lr": self.settings.encoder_rate}] if encoder else groups

    @torch.no_grad()
    def held_out_score(self, examples: Sequence[Example]) -> float:
        """F1 of decoded spans with their labels; 0 where nothing is held out."""
        self.network.eval()
        hits = found = wanted = 0
        for first in range(0, len(examples), 16):
            batch = self.batch(examples[first : first + 16], training=False)
            for output, example in zip(self.outputs(batch), batch.examples, strict=True):
                mentions = decode(example.chars, self.tags, output.tags.numpy())
                mine = {(mention.start, mention.end, mention.label) for mention in mentions}
                mine |= {(*place, TITLE) for place in decode_titles(self.tags, output.tags.numpy())}
                gold = {(target.start, target.end, target.tag) for target in example.targets}
                hits, found, wanted = hits + len(mine & gold), found + len(mine), wanted + len(gold)
        return 2 * hits / (found + wanted) if found + wanted else 0.0

    def export(self, out: Path, card: dict[str, Any]) -> dict[str, float]:
        """Writes the quantised network, tokenizer, checkpoint and ``model.json``; how near they come to torch.

        Raises:
            ValueError: the exported network does not give torch's outputs.
        """
        out.mkdir(parents=True, exist_ok=True)
        self.network.eval()
        if isinstance(self.network.encoder, PreTrainedModel):
            # Plain matrix products are a tenth faster on onnxruntime than what torch's own attention is exported as.
            self.network.encoder.set_attn_implementation("eager")
        sample = [Example("全年公开政府信息12条,其中网站8条。"), Example("未收到申请。")]
        batch = self.batch(sample, training=False)
        with tempfile.TemporaryDirectory() as scratch:
            plain = Path(scratch) / "plain.onnx"
            axes = {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask", "tags", "nil")}
            torch.onnx.export(
                self.network, (batch.ids, batch.mask), str(plain), input_names=["input_ids", "attention_mask"],
                output_names=["tags", "nil"], dynamic_axes=axes, dynamo=False, opset_version=17,
            )  # fmt: skip
            self.network.eval()
            apart = self._differences(plain, batch)
            if apart["largest"] > EXPORT_TOLERANCE:
                raise ValueError(f"the exported network differs from torch by {apart['largest']:.4f}")
            quantize_dynamic(plain, out / "model.onnx", per_channel=True, weight_type=QuantType.QInt8)
        quantised = self._differences(out / "model.onnx", batch)
        self.tokenizer.save(str(out / "tokenizer.json"))
        kept = {
            name: value.half().contiguous()
            for name, value in self.network.state_dict().items()
            if not (self.settings.frozen_words and "word_embeddings" in name)
        }
        save_file(kept, out / CHECKPOINT)
        card = {
            **card, "tags": self.tags.fields, "fields": self.fields, "pad": self.pad,
            "base": self.base, "settings": asdict(self.settings),
        }  # fmt: skip
        _write_card(out, card)
        return {"export": apart["largest"], "quantised": quantised["largest"]}

    @torch.no_grad()
    def _differences(self, path: Path, batch: Batch) -> dict[str, float]:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        mine = session.run(None, {"input_ids": batch.ids.numpy(), "attention_mask": batch.mask.numpy()})
        theirs = self.network(batch.ids, batch.mask)
        # A recurrent network gives no outputs for padding at the end.
        length = int(batch.mask.sum(1).max())
        real = batch.mask[:, :length].bool().numpy()
        pairs = [(np.asarray(a)[:, :length], b[:, :length].numpy()) for a, b in zip(mine, theirs, strict=True)]
        gaps = [np.abs(a[real] - b[real]).max() for a, b in pairs]
        return {"largest": float(max(gaps))}


def train(
    labels: Sequence[Path], out: Path, base: str = str(BASE), settings: Settings = Settings(),
    tests: Sequence[Path] = (), fresh: Sequence[Path] = (),
) -> dict[str, Any]:  # fmt: skip
    """Trains on the passages in ``labels`` and writes the model to ``out``; returns its card.

    ``tests`` are measured on; ``fresh`` are those of ``labels`` that ``settings.replay`` does not thin out.

    Raises:
        ValueError: a label file is damaged, or the exported network is not the trained one.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.manual_seed(settings.seed)
    passages = read_passages([path for path in labels if path not in fresh])
    if settings.replay is not None and len(passages) > settings.replay:
        passages = random.Random(settings.seed).sample(passages, settings.replay)
    passages += read_passages(fresh)
    learnt, held = hold_out(passages, settings.hold, settings.seed)
    examples = [piece for passage in learnt for piece in cut(to_example(passage))]
    log.info("%d passages to learn from, %d held out, base %s", len(learnt), len(held), Path(base).name)
    trainer = Trainer(base, settings)
    begun = time.monotonic()
    roles = [example for passage in learnt for example in role_examples(passage)]
    unseen = [piece for passage in held for piece in cut(to_example(passage))]
    unseen += [example for passage in held for example in role_examples(passage)]
    history = trainer.epochs(examples, roles, unseen)
    data = hashlib.sha256(b"".join(sorted(json.dumps(p, sort_keys=True).encode() for p in passages))).hexdigest()
    identity = json.dumps([data, asdict(settings), _digest(Path(base))], sort_keys=True)
    card: dict[str, Any] = {
        "id": hashlib.sha256(identity.encode()).hexdigest()[:12], "data": data, "passages": len(learnt),
        "held_out": len(held), "minutes": round((time.monotonic() - begun) / 60, 1), "history": history,
    }  # fmt: skip
    card["export"] = trainer.export(out, card)
    written: dict[str, Any] = json.loads((out / "model.json").read_text(encoding="utf-8"))
    written |= {"export": card["export"], "calibration": calibrate(Tagger(out), held)}
    _write_card(out, written)
    tagger = Tagger(out)
    written["metrics"] = {path.stem: measure(tagger, read_passages([path])) for path in tests}
    _write_card(out, written)
    return written


def measure(tagger: Tagger, passages: Sequence[Passage]) -> dict[str, Any]:
    """F1 of every measure on ``passages``, with its 95 % interval and support, and of the claims of each field."""
    parts: list[Counts] = [count(passage, *read_passage(passage["text"], tagger)) for passage in passages]
    summed = total(parts)
    table: dict[str, Any] = {}
    for measure_name, name in sorted({key[:2] for key in summed}):
        result = score(summed, measure_name, name)
        low, high = interval(parts, measure_name, name)
        table[measure_name if name == "all" else f"{measure_name}: {name}"] = {
            "f1": round(result.f1, 4), "precision": round(result.precision, 4), "recall": round(result.recall, 4),
            "interval": [round(low, 4), round(high, 4)], "support": result.support,
        }  # fmt: skip
    return table


def calibrate(tagger: Tagger, held: Sequence[Passage]) -> dict[str, list[list[float]]]:
    """Curves from a score to the share of right ones with it, isotonic, on held-out passages.

    ``tagger`` gives raw scores: its model has no curves yet.
    """
    seen: dict[str, list[tuple[float, bool]]] = {CLAIM: [], LEADER: [], CHANNEL: []}
    for passage in held:
        gold = {(target.start, target.end, target.tag) for target in to_example(passage).targets}
        place = {at: number for number, at in enumerate(encode(passage["text"]).origin)}
        for mention in tagger([passage["text"]])[0]:
            spot = (place[mention.start], place[mention.end - 1] + 1, mention.label)
            seen[mention.label if mention.label in seen else CLAIM].append((mention.score, spot in gold))
    return {kind: _curve(pairs) for kind, pairs in seen.items() if len(pairs) >= FEWEST}


def _curve(pairs: list[tuple[float, bool]]) -> list[list[float]]:
    pairs = sorted(pairs)
    # One wrong and one right at the ends keep a small sample from promising certainty.
    rights = np.array([0.0, *(float(right) for _, right in pairs), 1.0])
    scores = np.array([0.0, *(value for value, _ in pairs), 1.0])
    fitted = isotonic_regression(rights).x
    smooth = np.interp(_GRID, scores, fitted)
    return [list(_GRID), [round(float(min(value, 0.999)), 4) for value in smooth]]


def _batches(examples: list[Example], size: int, rng: random.Random) -> list[list[Example]]:
    """Batches of examples of like length, in random order."""
    examples.sort(key=lambda example: len(example.chars) + rng.random() * 40)
    groups = [examples[first : first + size] for first in range(0, len(examples), size)]
    rng.shuffle(groups)
    return groups


def _warm_then_down(steps: int, warmup: float) -> Callable[[int], float]:
    return lambda step: min(1.0, (step + 1) / max(1.0, steps * warmup)) * max(0.02, 1.0 - step / steps)


def _best_epoch(history: list[dict[str, float]]) -> int:
    return int(max(history, key=lambda item: item["held_out"])["epoch"])


def _digest(base: Path) -> str:
    weights = sorted(base.glob("*.safetensors")) if base.is_dir() else []
    return hashlib.sha256(b"".join(path.read_bytes() for path in weights)).hexdigest() if weights else str(base)


def _write_card(out: Path, card: dict[str, Any]) -> None:
    (out / "model.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
